# Sendmail with Debian's sendmail.mc, but for addresses, host name and TLS: sendmail.sh stock | hidden | forged | rbl | notls | hardened
#   hidden  a greeting that does not name the product
#   forged  a greeting that names Postfix; Sendmail puts ESMTP behind its first word
#   notls   without a certificate
#   hardened  hidden; no help, VRFY, EXPN, ETRN and VERB, and a hello is required
#   rbl     refuses on connect whom the lab's blocklist holds
edit= more=
case $1 in
hidden) more="define(\`confSMTP_LOGIN_MSG', \`\$j')dnl" ;;
forged) more="define(\`confSMTP_LOGIN_MSG', \`\$j Postfix (Debian/GNU)')dnl" ;;
notls) edit="s/^define(.conf.*CERT.*//" ;;
hardened) more="define(\`confSMTP_LOGIN_MSG', \`\$j')dnl
define(\`confPRIVACY_FLAGS', \`goaway,noetrn,noverb,authwarnings')dnl
define(\`HELP_FILE', \`')dnl" ;;
rbl) edit="s/^FEATURE(.delay_checks.*/FEATURE(\`dnsbl', \`bl.lab.example')dnl/; /^FEATURE(.*nodelay/d" ;;
esac
certificate
chmod 600 /srv/key.pem
cp -a /etc/mail /srv/mail
mount --bind /srv/mail /etc/mail
mkdir -p /var/spool/mqueue /var/lib/sendmail/host_status /run/sendmail/mta
touch /etc/mail/access /etc/mail/local-host-names /etc/mail/aliases
{
    sed -e '/^DAEMON_OPTIONS/d' -e '/^include(`\/etc/d' -e "$edit" /usr/share/sendmail/cf/debian/sendmail.mc
    echo "$more"
    cat <<EOF
DAEMON_OPTIONS(\`Family=inet, Name=MTA-v4, Port=smtp, Addr=$ADDRESS')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MSP-v4, Port=submission, M=E, Addr=$ADDRESS')dnl
define(\`confDOMAIN_NAME', \`$HOST')dnl
define(\`confSERVER_CERT', \`/srv/cert.pem')dnl
define(\`confCACERT', \`/srv/cert.pem')dnl
define(\`confCACERT_PATH', \`/srv')dnl
define(\`confSERVER_KEY', \`/srv/key.pem')dnl
EOF
} | m4 - >/etc/mail/sendmail.cf
/usr/libexec/sendmail/makemap hash /etc/mail/access.db </etc/mail/access
/usr/libexec/sendmail/sendmail -bD -q1h
