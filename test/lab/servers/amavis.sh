# amavisd's own SMTP port, which mail servers hand their messages to; it would hand them back to nobody.
mkdir -p /srv/home/tmp /srv/home/db
cat >/srv/amavisd.conf <<EOF
\$daemon_user = \$daemon_group = 'amavis';
\$MYHOME = '/srv/home';
\$TEMPBASE = '/srv/home/tmp';
\$myhostname = '$HOST';
\$mydomain = '$HOST';
\$inet_socket_bind = '$ADDRESS';
\$inet_socket_port = [25];
@inet_acl = ('127.0.0.0/8');
@bypass_virus_checks_maps = @bypass_spam_checks_maps = (1);
\$enable_db = 0;
\$nanny_details_level = 0;
1;
EOF
chown -R amavis: /srv/home
chown root:amavis /srv/amavisd.conf
# Debian 11 calls it amavisd-new.
as amavis "$(command -v amavisd || command -v amavisd-new)" -c /srv/amavisd.conf -i lab foreground
