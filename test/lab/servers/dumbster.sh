# Dumbster, Java's fake server, which listens on every address.
cat >/srv/Main.java <<'EOF'
public class Main {
    public static void main(String[] arguments) {
        com.dumbster.smtp.SimpleSmtpServer.start(2526);
    }
}
EOF
# It answers one client at a time: a relay listens where it cannot.
busybox nc -ll -p 25 -s "$ADDRESS" -e busybox nc 127.0.0.1 2526 &
java -cp /usr/share/java/dumbster.jar /srv/Main.java
