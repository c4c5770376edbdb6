# A scripted stand-in for what cannot be had: see peers/peers.py.
python3 -B /lab/peers/peers.py "$NAME" "$ADDRESS" "$HOST" "$NET"
