# DavMail's SMTP side; the Exchange server behind it is asked for only after a log-in.
cat >/srv/davmail.properties <<EOF
davmail.server=true
davmail.mode=EWS
davmail.url=https://$ADDRESS/EWS/Exchange.asmx
davmail.allowRemote=true
davmail.bindAddress=$ADDRESS
davmail.smtpPort=25
davmail.disableUpdateCheck=true
davmail.logFilePath=/srv/davmail.log
davmail.enableProxy=false
EOF
/usr/lib/jvm/default-java/bin/java -Djava.net.preferIPv4Stack=true -jar /usr/share/davmail/davmail.jar -server /srv/davmail.properties
