# qpsmtpd's forkserver with the plugins that Debian's package enables.
cp -a /etc/qpsmtpd /srv/config
echo "$HOST" >/srv/config/me
sed -i 's,^\$include .*,queue/maildir /srv/mail,' /srv/config/plugins
mkdir -p /srv/mail /srv/spool /var/log/qpsmtpd
echo /srv/spool >/srv/config/spool_dir
chown -R qpsmtpd: /srv /var/log/qpsmtpd
export QPSMTPD_CONFIG=/srv/config
qpsmtpd-forkserver -l "$ADDRESS" -p 25 -u qpsmtpd
