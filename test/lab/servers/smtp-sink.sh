# smtp-sink, Postfix's server for tests of load: takes all and keeps nothing.
smtp-sink -u nobody -h "$HOST" "$ADDRESS:25" 100
