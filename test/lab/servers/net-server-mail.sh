# Perl's Net::Server::Mail::ESMTP as its manual shows it, with no extension registered.
cat >/srv/server.pl <<'EOF'
use strict;
use IO::Socket::INET;
use Net::Server::Mail::ESMTP;
$SIG{CHLD} = 'IGNORE';
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => $ENV{ADDRESS}, LocalPort => 25, ReuseAddr => 1) or die $!;
while (1) {
    my $client = $server->accept or next;
    if (!fork) {
        Net::Server::Mail::ESMTP->new(socket => $client)->process;
        exit;
    }
    close $client;
}
EOF
perl /srv/server.pl
