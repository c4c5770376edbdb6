# nodemailer's smtp-server (npm), all defaults, but that no one needs to log in.
cat >/srv/server.js <<EOF
const { SMTPServer } = require('/opt/node_modules/smtp-server');
new SMTPServer({ authOptional: true }).listen(25, '$ADDRESS');
EOF
node /srv/server.js
