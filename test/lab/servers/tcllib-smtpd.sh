# The package smtpd of Tcl's library, all defaults.
cat >/srv/server.tcl <<'TCL'
package require smtpd
proc deliver {message} {}
smtpd::configure -deliverMIME deliver
smtpd::start $env(ADDRESS) 25
vwait forever
TCL
tclsh /srv/server.tcl
