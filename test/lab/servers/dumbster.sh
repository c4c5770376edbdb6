# Dumbster, Java's fake server, which listens on every address.
cat >/srv/Main.java <<'EOF'
public class Main {
    public static void main(String[] arguments) {
        com.dumbster.smtp.SimpleSmtpServer.start(2526);
    }
}
EOF
# A relay listens where it cannot.
tcpserver -R -H "$ADDRESS" 25 busybox nc 127.0.0.1 2526 &
# A step crashes it: it is started again.
while :; do /usr/lib/jvm/default-java/bin/java -cp /usr/share/java/dumbster.jar /srv/Main.java; sleep 0.2; done
