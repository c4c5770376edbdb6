# The module smtpd of Python's own library (until Python 3.11), as its documentation starts it: python-smtpd.sh [PYTHON]
"${1:-python3}" -B -m smtpd -n -c DebuggingServer "$ADDRESS:25"
