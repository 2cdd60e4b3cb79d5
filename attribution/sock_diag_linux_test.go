package attribution

import (
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// portOf is the address of a netlink socket.
func portOf(t *testing.T, fd int) uint32 {
	t.Helper()
	address, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return address.(*unix.SockaddrNetlink).Pid
}

// Who has CAP_NET_ADMIN in a network namespace, as anybody has in one of his own, can send to our
// socket there: what the kernel answers counts, whatever was there before it.
func TestDiagTakesTheKernelsWordAlone(t *testing.T) {
	other, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(other)
	there := elder(t, listen(t, "127.0.0.1:0"))
	nowhere := tuple("127.0.0.1:1", "127.0.0.1:2")
	const forged = 4711
	for _, test := range []struct {
		name    string
		message func(sequence uint32) []byte
		tuple   Tuple
		want    error
	}{
		{"a socket that is not there", func(n uint32) []byte { return diagReply(n, nowhere, 1, 0, forged) }, nowhere, errNoSocket},
		{"another's socket", func(n uint32) []byte { return diagReply(n, there, 1, 0, forged) }, there, nil},
		{"no socket", func(n uint32) []byte {
			b := status(nlmsgError, -int32(unix.ENOENT))
			binary.NativeEndian.PutUint32(b[8:], n)
			return b
		}, there, nil},
		{"no message", func(uint32) []byte { return []byte("?") }, there, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := dialDiag()
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			err = unix.Sendto(other, test.message(c.sequence+1), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: portOf(t, c.fd)})
			if err != nil { // it takes CAP_NET_ADMIN
				t.Fatal(err)
			}
			if s, err := c.lookUp(test.tuple, 0); !errors.Is(err, test.want) || s.inode == forged {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}
