# Courier's esmtpd with the settings of Debian's package, and a certificate where they expect it.
certificate
cp -a /etc/courier /srv/etc
mount --bind /srv/etc /etc/courier
echo "$HOST" >/etc/courier/me
cat /srv/key.pem /srv/cert.pem >/etc/courier/esmtpd.pem
chown courier: /etc/courier/esmtpd.pem
set -a
. /etc/courier/esmtpd
set +a
# TCPDOPTS and BLACKLISTS are several words each.
/usr/sbin/couriertcpd $TCPDOPTS $BLACKLISTS -user="$MAILUSER" -group="$MAILGROUP" -address="$ADDRESS" \
    -maxprocs="$MAXDAEMONS" -maxperc="$MAXPERC" -maxperip="$MAXPERIP" 25 /usr/sbin/courieresmtpd
