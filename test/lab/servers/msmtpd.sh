# msmtpd, the small server that comes with msmtp.
msmtpd --interface="$ADDRESS" --port=25 --command=/bin/true
