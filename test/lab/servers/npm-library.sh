# A mail server from npm, with as little around it as its own documentation shows: npm-library.sh NAME [RELEASE [VARIANT]]
# RELEASE `-` is the one of the lab. VARIANT: hidden (a greeting of its own; smtp-server: no STARTTLS), forged (a greeting that names
# Postfix), lmtp (on 24), hardened (few commands or extensions), tls (STARTTLS with a certificate)
name=$1 release=${2:--} variant=${3:-stock}
folder=/opt
[ "$release" = - ] || folder=/opt/releases/$name-$release
export MODULE=$folder/node_modules/$name
cat >/srv/smtp-server.js <<'EOF'
const { SMTPServer } = require(process.env.MODULE);
const options = {
    stock: {},
    hidden: { banner: 'ready', hideSTARTTLS: true, disabledCommands: ['STARTTLS'] },
    forged: { banner: 'Postfix (Debian/GNU)' },
    hardened: { banner: 'ready', hideSTARTTLS: true, hidePIPELINING: true, hide8BITMIME: true, hideSMTPUTF8: true,
        disabledCommands: ['STARTTLS', 'AUTH'], size: 1000000 },
    lmtp: { lmtp: true, disabledCommands: ['AUTH'] },
}[process.argv[2]];
new SMTPServer({ authOptional: true, ...options }).on('error', console.error)
    .listen(options.lmtp ? 24 : 25, process.env.ADDRESS);
EOF
cat >/srv/zone-mta.js <<'EOF'
// Its SMTP interface as it configures it itself, without the database for what comes in.
process.chdir(process.env.MODULE);
const config = require(process.env.MODULE + '/config/default.js');
const Interface = require(process.env.MODULE + '/lib/smtp-interface');
const plugins = require(process.env.MODULE + '/lib/plugins');
plugins.init('receiver');
const hidden = process.argv[2] === 'hidden';
const feeder = Object.assign({}, (config.smtpInterfaces || config.interfaces || { feeder: config.feeder || {} }).feeder,
    { name: hidden ? 'our server' : config.name, disableVersionString: hidden,
        host: process.env.ADDRESS, port: 25, processes: 1, authentication: false });
const server = new Interface('feeder', feeder);
plugins.handler.load(() => server.setup(error => {
    if (error) throw error;
    server.sendCommand = (command, done) => done(null, 'envelope'); // the queue gives each sender an id
    server.server.listen(25, process.env.ADDRESS);
}));
EOF
cat >/srv/simplesmtp.js <<'EOF'
const options = {
    stock: {},
    hidden: { SMTPBanner: 'ready' },
    hardened: { SMTPBanner: 'ready', disableEHLO: true, ignoreTLS: true },
}[process.argv[2]];
require(process.env.MODULE).createServer(options).listen(25, process.env.ADDRESS, error => error && console.error(error));
EOF
cat >/srv/smtp-protocol.js <<'EOF'
const { readFileSync } = require('fs');
const handler = request => { request.on('message', (stream, ack) => ack.accept()); };
const options = process.argv[2] === 'tls' ? [{ key: readFileSync('/srv/key.pem'), cert: readFileSync('/srv/cert.pem') }] : [];
require(process.env.MODULE).createServer(...options, handler).listen(25, process.env.ADDRESS);
EOF
cat >/srv/smtp-server-as-promised.js <<'EOF'
const exported = require(process.env.MODULE);
const SMTPServerAsPromised = exported.SMTPServerAsPromised || exported;
class Server extends SMTPServerAsPromised {
    async onData(stream) { stream.resume(); }
}
new Server({ authOptional: true }).listen(25);
EOF
cat >/srv/mailin.js <<'EOF'
require(process.env.MODULE).start({ host: process.env.ADDRESS, port: 25, tmp: '/srv/mailin', disableWebhook: true });
EOF
cat >/srv/smtp.js <<'EOF'
const server = require(process.env.MODULE).createServer(socket => process.nextTick(() => socket.emit('connect'))); // Node.js 0.4 did
server.hostname = require('os').hostname();
server.listen(25, process.env.ADDRESS);
EOF
cat >/srv/smtp2.js <<'EOF'
require(process.env.MODULE).createServer().listen(25, process.env.ADDRESS);
EOF
cat >/srv/smtp-tester.js <<'EOF'
require(process.env.MODULE).init(25);
EOF
# Some would listen on every address of the machine, or on no port below 1000.
cat >/srv/here.js <<'EOF'
const { Server } = require('net');
const listen = Server.prototype.listen;
Server.prototype.listen = function (where, ...rest) {
    const port = Number(where.port || where);
    return listen.call(this, port === 1025 ? 25 : port, process.env.ADDRESS, ...rest.filter(one => typeof one === 'function'));
};
EOF
[ "$variant" != tls ] || certificate
# Some steps crash some of them: they are started again.
set --
while :; do
    case ${name#*/} in
    maildev)
        [ -e "$MODULE/bin/maildev" ] && bin=bin/maildev || bin=dist/bin/maildev.js
        [ "$variant" = stock ] || set -- --hide-extensions STARTTLS,PIPELINING,8BITMIME,SMTPUTF8
        node -r /srv/here.js "$MODULE/$bin" "$@" ;;
    fake-smtp-server | smtp-sink) node -r /srv/here.js "$MODULE/index.js" ;;
    smtp-tester | mailin | smtp-server-as-promised) node -r /srv/here.js "/srv/$name.js" ;;
    *) node "/srv/${name#*/}.js" "$variant" ;;
    esac
    sleep 0.5
done
