# aiosmtpd: aiosmtpd.sh stock | hidden | forged | tls | lmtp
#   stock   by its own command, all defaults
#   others  by its own classes
#   forged  a greeting that names Microsoft Exchange
if [ "$1" = stock ]; then exec python3 -B -m aiosmtpd -n -l "$ADDRESS:25"; fi
certificate
cat >/srv/server.py <<'EOF'
import asyncio, email.utils, os, ssl, sys
from aiosmtpd.handlers import Sink
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

def make():
    if sys.argv[1] == "lmtp":
        return LMTP(Sink(), hostname=os.environ["HOST"])
    if sys.argv[1] == "hidden":
        return SMTP(Sink(), hostname=os.environ["HOST"], ident="ESMTP")
    if sys.argv[1] == "forged":
        claim = "Microsoft ESMTP MAIL Service ready at " + email.utils.formatdate(localtime=True)
        return SMTP(Sink(), hostname=os.environ["HOST"], ident=claim)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/srv/cert.pem", "/srv/key.pem")
    return SMTP(Sink(), hostname=os.environ["HOST"], tls_context=context)

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)

async def serve():
    server = await loop.create_server(make, os.environ["ADDRESS"], 24 if sys.argv[1] == "lmtp" else 25)
    await server.serve_forever()

loop.run_until_complete(serve())
EOF
python3 -B /srv/server.py "$1"
