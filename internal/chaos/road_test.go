package chaos

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// roadMark in the environment makes the test binary the way out of a host's network:
// ports and the sockets that they lead to.
const roadMark = "LEADLOAD_CHAOS_ROAD"

// relay joins ports of this machine's loopback to sockets until its input ends.
func relay(ways string) int {
	for way := range strings.SplitSeq(ways, ",") {
		port, socket, _ := strings.Cut(way, "=")
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					s, err := net.Dial("unix", socket)
					if err != nil {
						return
					}
					defer s.Close()
					go func() {
						io.Copy(c, s) // its end is the connection's
						c.Close()
					}()
					io.Copy(s, c)
				}()
			}
		}()
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	return 0
}
