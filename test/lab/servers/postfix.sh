# Postfix: postfix.sh stock | hidden | forged | version | rbl | notls | hardened | tlsonly | load | greylist | backend | ntlm | postscreen |
# postscreen-deep | postscreen-rbl | postscreen-teaser
#   stock            the greeting that Debian's package sets; TLS; submission on 587 and 465
#   hidden           a greeting that does not name the product
#   forged           a greeting that names Sendmail
#   version          a greeting with mail_version
#   rbl              refuses on connect whom the lab's blocklist holds
#   notls            without TLS
#   hardened         hidden; a hello is required, VRFY and most extensions are off
#   tlsonly          nothing without TLS
#   load             one connection a minute for each client
#   greylist         postgrey is asked about every recipient
#   ntlm             AUTH NTLM by Cyrus SASL, for nobody
#   backend          without TLS and hidden, for a proxy that offers them itself
#   postscreen       postscreen before it with its own defaults, the teaser included; clients are forgotten at once
#   postscreen-deep  postscreen with its tests after the greeting, for which it speaks SMTP itself
#   postscreen-rbl   postscreen that drops whom the lab's blocklist holds
#   postscreen-teaser  postscreen whose teaser has a text of its own, before a greeting that does not name the product
certificate
etc=/srv/etc
mkdir -p $etc /srv/queue /srv/data
chown postfix: /srv/data
cp /etc/postfix/postfix-files $etc/
cp /usr/share/postfix/main.cf.debian $etc/main.cf
cat >>$etc/main.cf <<EOF
myhostname = $HOST
mydestination =
mynetworks = 192.0.2.0/24
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
queue_directory = /srv/queue
data_directory = /srv/data
maillog_file = /dev/stdout
alias_maps =
smtpd_tls_cert_file = /srv/cert.pem
smtpd_tls_key_file = /srv/key.pem
smtpd_tls_security_level = may
EOF
cat >$etc/master.cf <<EOF
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
cleanup unix n - n - 0 cleanup
postlog unix-dgram n - n - 1 postlogd
EOF
# Postfix binds to addresses of interfaces alone, unless the service's own name has the address.
service() { echo "$ADDRESS:$1 inet n - n - $2" >>$etc/master.cf; }
case $1 in
stock)
    service 25 '- smtpd'
    service 587 '- smtpd -o syslog_name=postfix/submission'
    service 465 '- smtpd -o syslog_name=postfix/smtps -o smtpd_tls_wrappermode=yes' ;;
hidden)
    service 25 '- smtpd'
    echo 'smtpd_banner = $myhostname ESMTP' >>$etc/main.cf ;;
forged)
    service 25 '- smtpd'
    echo "smtpd_banner = \$myhostname ESMTP Sendmail 8.15.2/8.15.2; $(date -R)" >>$etc/main.cf ;;
version)
    service 25 '- smtpd'
    echo 'smtpd_banner = $myhostname ESMTP $mail_name ($mail_version)' >>$etc/main.cf ;;
rbl)
    service 25 '- smtpd'
    cat >>$etc/main.cf <<EOF
smtpd_delay_reject = no
smtpd_client_restrictions = reject_rbl_client bl.lab.example
EOF
    ;;
notls)
    service 25 '- smtpd'
    echo 'smtpd_tls_security_level = none' >>$etc/main.cf ;;
tlsonly)
    service 25 '- smtpd'
    echo 'smtpd_tls_security_level = encrypt' >>$etc/main.cf ;;
hardened)
    service 25 '- smtpd'
    cat >>$etc/main.cf <<EOF
smtpd_banner = \$myhostname ESMTP
smtpd_helo_required = yes
disable_vrfy_command = yes
strict_rfc821_envelopes = yes
smtpd_discard_ehlo_keywords = pipelining, etrn, dsn, chunking, enhancedstatuscodes
EOF
    ;;
load)
    service 25 '- smtpd'
    echo 'smtpd_client_connection_rate_limit = 1' >>$etc/main.cf ;;
greylist)
    service 25 '- smtpd'
    echo "smtpd_recipient_restrictions = check_policy_service inet:$ADDRESS:10023" >>$etc/main.cf
    mkdir -p /srv/postgrey
    chown postgrey: /srv/postgrey
    as postgrey postgrey --inet="$ADDRESS:10023" --dbdir=/srv/postgrey --hostname="$HOST" & ;;
ntlm)
    service 25 '- smtpd'
    mkdir -p $etc/sasl
    printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: /srv/sasldb2\nmech_list: NTLM\n' >$etc/sasl/smtpd.conf
    printf 'smtpd_sasl_auth_enable = yes\ncyrus_sasl_config_path = %s/sasl\n' $etc >>$etc/main.cf ;;
backend)
    service 25 '- smtpd'
    printf 'smtpd_tls_security_level = none\nsmtpd_banner = $myhostname ESMTP\n' >>$etc/main.cf ;;
postscreen*)
    service 25 '1 postscreen'
    cat >>$etc/master.cf <<EOF
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
EOF
    cat >>$etc/main.cf <<EOF
postscreen_greet_ttl = 1s
postscreen_greet_action = enforce
EOF
    ;;
esac
case $1 in
postscreen-deep)
    cat >>$etc/main.cf <<EOF
postscreen_pipelining_enable = yes
postscreen_pipelining_ttl = 1s
postscreen_non_smtp_command_enable = yes
postscreen_bare_newline_enable = yes
EOF
    ;;
postscreen-teaser)
    cat >>$etc/main.cf <<EOF
smtpd_banner = \$myhostname ESMTP
postscreen_greet_banner = One moment, please
EOF
    ;;
postscreen-rbl)
    cat >>$etc/main.cf <<EOF
postscreen_dnsbl_sites = bl.lab.example
postscreen_dnsbl_action = drop
postscreen_dnsbl_min_ttl = 1s
postscreen_dnsbl_max_ttl = 1s
EOF
    ;;
esac
postfix -c $etc start-fg
