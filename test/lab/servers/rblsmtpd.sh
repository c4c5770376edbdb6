# rblsmtpd before Exim: rblsmtpd.sh list | temporary TEXT | permanent TEXT
#   list       ask the blocklist of the lab's name server
#   temporary  refuse with 451 and the words that follow (the variable RBLSMTPD, as tcprules would set it)
#   permanent  the same with 553: the text begins with a hyphen
. /lab/servers/exim-conf.sh
how=$1
shift
case $how in
list) export DNSCACHEIP="$NET.53"; set -- rblsmtpd -r bl.lab.example ;;
temporary) export RBLSMTPD="$*"; set -- rblsmtpd ;;
permanent) export RBLSMTPD="-$*"; set -- rblsmtpd ;;
esac
tcpserver -v -R -H -l "$HOST" "$ADDRESS" 25 "$@" exim4 -bs
