# nullmailer-smtpd under tcpserver.
tcpserver -v -R -H -l "$HOST" "$ADDRESS" 25 nullmailer-smtpd
