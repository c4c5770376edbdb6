# A mail server from npm, with as little around it as its own documentation shows: npm-library.sh NAME [RELEASE [VARIANT]]
# RELEASE `-` is the one of the lab. VARIANT of smtp-server: hidden (a greeting of its own, no STARTTLS), forged (a greeting that names
# Postfix), lmtp (on 24), hardened (few commands)
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
const feeder = Object.assign({}, (config.smtpInterfaces || config.interfaces || { feeder: config.feeder || {} }).feeder,
    { name: config.name, host: process.env.ADDRESS, port: 25, processes: 1, authentication: false });
const server = new Interface('feeder', feeder);
plugins.handler.load(() => server.setup(error => {
    if (error) throw error;
    server.sendCommand = (command, done) => done(null, 'envelope'); // the queue gives each sender an id
    server.server.listen(25, process.env.ADDRESS);
}));
EOF
cat >/srv/simplesmtp.js <<'EOF'
require(process.env.MODULE).createServer({}).listen(25, process.env.ADDRESS, error => error && console.error(error));
EOF
cat >/srv/smtp-protocol.js <<'EOF'
const handler = request => { request.on('message', (stream, ack) => ack.accept()); };
require(process.env.MODULE).createServer(handler).listen(25, process.env.ADDRESS);
EOF
cat >/srv/smtp-server-as-promised.js <<'EOF'
const { SMTPServerAsPromised } = require(process.env.MODULE);
class Server extends SMTPServerAsPromised {
    async onData(stream) { stream.resume(); }
}
new Server({ authOptional: true }).listen({ port: 25, host: process.env.ADDRESS });
EOF
cat >/srv/mailin.js <<'EOF'
require(process.env.MODULE).start({ host: process.env.ADDRESS, port: 25, tmp: '/srv/mailin', disableWebhook: true });
EOF
# It would listen on every address of the machine.
cat >/srv/smtp-tester.js <<'EOF'
const { Server } = require('net');
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
    return listen.call(this, 25, process.env.ADDRESS, ...rest.filter(one => typeof one === 'function'));
};
require(process.env.MODULE).init(25);
EOF
# Some steps crash some of them: they are started again.
while :; do
    case $name in
    maildev)
        [ -e "$MODULE/bin/maildev" ] && bin=bin/maildev || bin=dist/bin/maildev.js
        node "$MODULE/$bin" --smtp 25 --ip "$ADDRESS" --web 1080 --web-ip "$ADDRESS" ;;
    fake-smtp-server) node "$MODULE/index.js" --smtp-port 25 --smtp-ip "$ADDRESS" --http-port 1080 --http-ip "$ADDRESS" ;;
    *) node "/srv/$name.js" "$variant" ;;
    esac
    sleep 0.5
done
