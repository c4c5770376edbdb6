# MailCatcher, all defaults.
mailcatcher --foreground --smtp-ip "$ADDRESS" --smtp-port 25 --http-ip "$ADDRESS" --http-port 1080 --no-quit
