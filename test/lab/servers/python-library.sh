# lazr.smtptest's server, as its manual starts it.
cat >/srv/server.py <<'EOF'
import os, time
from lazr.smtptest.controller import QueueController
QueueController(os.environ["ADDRESS"], 25).start()
time.sleep(1e6)
EOF
python3 -B /srv/server.py
