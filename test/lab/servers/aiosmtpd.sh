# aiosmtpd: aiosmtpd.sh stock | hidden | tls | lmtp
#   stock   by its own command, all defaults
#   others  by its own classes
if [ "$1" = stock ]; then exec python3 -B -m aiosmtpd -n -l "$ADDRESS:25"; fi
certificate
cat >/srv/server.py <<'EOF'
import asyncio, os, ssl, sys
from aiosmtpd.handlers import Sink
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

def make():
    if sys.argv[1] == "lmtp":
        return LMTP(Sink(), hostname=os.environ["HOST"])
    if sys.argv[1] == "hidden":
        return SMTP(Sink(), hostname=os.environ["HOST"], ident="ESMTP")
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
