# nodemailer's smtp-server (npm), all defaults: smtp-server.sh stock | plain
#   plain   without STARTTLS
cat >/srv/server.js <<EOF
const { SMTPServer } = require('/opt/node_modules/smtp-server');
const settings = { authOptional: true, hideSTARTTLS: '$1' === 'plain' };
new SMTPServer(settings).listen(25, '$ADDRESS');
EOF
node /srv/server.js
