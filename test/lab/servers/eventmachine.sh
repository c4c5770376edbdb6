# EventMachine's SMTP server for Ruby, as its source shows it: eventmachine.sh stock | tls
cat >/srv/server.rb <<'RUBY'
require 'eventmachine'
class Server < EventMachine::Protocols::SmtpServer; end
Server.parms = { starttls: true, starttls_options: { cert_chain_file: '/srv/cert.pem', private_key_file: '/srv/key.pem' } } if ARGV[0] == 'tls'
EventMachine.run { EventMachine.start_server ENV['ADDRESS'], 25, Server }
RUBY
certificate
ruby /srv/server.rb "$1"
