# mailfront's SMTP front end, which throws all away, under tcpserver.
export MAILRULES=/dev/null SMTPGREETING="${1:+ready}"
tcpserver -v -R -H -l "$HOST" "$ADDRESS" 25 mailfront smtp echo
