# bhm of the package postal, which takes mail and throws it away; it has a name of its own.
echo "postmaster@$HOST" >/srv/users
bhm -b "$ADDRESS" -p 25 /srv/users
