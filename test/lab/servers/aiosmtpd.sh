# aiosmtpd by its own command, all defaults.
python3 -B -m aiosmtpd -n -l "$ADDRESS:25"
