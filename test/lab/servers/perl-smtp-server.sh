# Perl's Net::SMTP::Server as its manual shows it.
cat >/srv/server.pl <<'EOF'
use strict;
use Net::SMTP::Server;
use Net::SMTP::Server::Client;
$SIG{CHLD} = 'IGNORE';
my $server = Net::SMTP::Server->new($ENV{ADDRESS}, 25) or die $!;
while (my $socket = $server->accept) {
    if (!fork) {
        my $client = Net::SMTP::Server::Client->new($socket);
        $client->process;
        exit;
    }
    close $socket;
}
EOF
perl /srv/server.pl
