package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// together runs n jobs at once.
func together(n int, job func(i int) error) error {
	var running sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		running.Go(func() { errs[i] = job(i) })
	}
	running.Wait()
	return errors.Join(errs...)
}

// withConnection connects from one of the attacker's addresses. That an attack is cut
// off, by its time or by the service, is no failure.
func withConnection(ctx context.Context, i int, do func(conn net.Conn) error) error {
	conn, err := dial(localAddr(i))
	if err != nil {
		return nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = do(conn)
	return nil
}

func portReuse(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	var made atomic.Uint64
	err := together(4, func(i int) error {
		from := &net.TCPAddr{IP: net.IPv4(10, 2, 0, byte(i)), Port: 5000}
		dialer := net.Dialer{LocalAddr: from, Control: reuse}
		return pace(ctx, 1<<30, busy/4, func(int) error {
			conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(service4, "80"))
			if err != nil {
				return nil // the port is in use for a moment
			}
			made.Add(1)
			_ = conn.(*net.TCPConn).SetLinger(0)
			return conn.Close()
		})
	})
	s.note("connections", made.Load())
	return err
}

func reuse(_, _ string, c syscall.RawConn) (err error) {
	failed := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	})
	return errors.Join(failed, err)
}

const head = "GET /flood HTTP/1.1\r\nHost: 169.254.169.254\r\n"

func endlessHeads(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	line := "X-Long: " + strings.Repeat("a", 1000) + "\r\n"
	return together(1000, func(i int) error {
		return withConnection(ctx, i, func(conn net.Conn) error {
			if _, err := io.WriteString(conn, head); err != nil {
				return err
			}
			s.note("heads", 1)
			for range 1000 {
				if _, err := io.WriteString(conn, line); err != nil {
					return err
				}
				s.note("lines", 1)
				_ = pause(ctx, 40*time.Millisecond)
			}
			return nil
		})
	})
}

// slowHeads holds more heads than there is room for, all of them alive.
func slowHeads(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	begin := head + "X-Slow: " + strings.Repeat("b", 600)
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	_ = pace(ctx, 15_000, busy, func(i int) error {
		conn, err := dial(localAddr(i))
		if err == nil {
			conns = append(conns, conn)
			_, err = io.WriteString(conn, begin)
		}
		return err
	})
	s.note("heads", uint64(len(conns)))
	return pace(ctx, 20*1024, 2048, func(i int) error {
		n, _ := conns[i%len(conns)].Write([]byte("b"))
		s.note("bytes late", uint64(n))
		return nil
	})
}

// patientHeads are heads of which a byte comes after each wait, and the rest after the last.
func patientHeads(heads, waits int, wait time.Duration) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		var conns []net.Conn
		defer func() {
			for _, conn := range conns {
				_ = conn.Close()
			}
		}()
		err := pace(ctx, heads, busy, func(i int) error {
			conn, err := dial(localAddr(i))
			if err != nil {
				return err
			}
			conns = append(conns, conn)
			_, err = fmt.Fprintf(conn, "%sX-Slow: ", head)
			s.note("heads", 1)
			return err
		})
		for i := 0; err == nil && i < waits; i++ {
			_ = pause(ctx, wait)
			err = toEach(ctx, conns, "b", func() { s.note("bytes late", 1) })
		}
		if err == nil {
			err = toEach(ctx, conns, "\r\n\r\n", func() {})
		}
		return errors.Join(err, pause(ctx, 2*time.Second))
	}
}

// toEach sends a text on each connection.
func toEach(ctx context.Context, conns []net.Conn, text string, done func()) error {
	return pace(ctx, len(conns), busy, func(i int) error {
		_, err := io.WriteString(conns[i], text)
		if err == nil {
			done()
		}
		return err
	})
}

func longTargets(ctx context.Context, s *stage) error {
	target := "/flood/" + strings.Repeat("t", 100<<10)
	return together(20, func(i int) error {
		return withConnection(ctx, i, func(conn net.Conn) error {
			go io.Copy(io.Discard, conn)
			for j := range 50 {
				if _, err := fmt.Fprintf(conn, "GET %s%d-%d HTTP/1.1\r\nUser-Agent: %s\r\n\r\n", target, i, j, target[7:20<<10]); err != nil {
					return err
				}
				_ = pause(ctx, 150*time.Millisecond)
			}
			return pause(ctx, 3*time.Second)
		})
	})
}

func tokens(ctx context.Context, s *stage) error {
	values := []string{strings.Repeat("T", 60<<10), "AQAEA", strings.Repeat("=", 60<<10), strings.Repeat("AQ==", 15<<10), "==", "\x80\xff="}
	return together(20, func(i int) error {
		return withConnection(ctx, i, func(conn net.Conn) error {
			go io.Copy(io.Discard, conn)
			for j := range 30 {
				if _, err := fmt.Fprintf(conn, "GET /flood HTTP/1.1\r\nX-aws-ec2-metadata-token: %s\r\n\r\n", values[j%len(values)]); err != nil {
					return err
				}
				_ = pause(ctx, 100*time.Millisecond)
			}
			return nil
		})
	})
}

// upload sends a body without end, so many bytes a second; 0 is as fast as it goes.
func upload(aSecond int) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
		defer cancel()
		part := make([]byte, 64<<10)
		return withConnection(ctx, 0, func(conn net.Conn) error {
			if _, err := io.WriteString(conn, "PUT /flood HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n"); err != nil {
				return err
			}
			return pace(ctx, 1<<30, aSecond/len(part), func(int) error {
				n, err := conn.Write(part)
				s.note("bytes", uint64(n))
				return err
			})
		})
	}
}

func download(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	return withConnection(ctx, 0, func(conn net.Conn) error {
		for {
			if _, err := io.WriteString(conn, "GET /large?4000000000 HTTP/1.1\r\n\r\n"); err != nil {
				return err
			}
			n, err := io.CopyN(io.Discard, conn, 4_000_000_000)
			s.note("bytes", uint64(n))
			if err != nil {
				return err
			}
		}
	})
}

func endlessChunks(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	chunks := strings.Repeat("1;ext=yes\r\nx\r\n", 100)
	return together(2, func(i int) error {
		return withConnection(ctx, i, func(conn net.Conn) error {
			if i == 0 {
				_, _ = io.WriteString(conn, "GET /chunks?1000000 HTTP/1.1\r\n\r\n")
				n, err := io.Copy(io.Discard, conn)
				s.note("bytes down", uint64(n))
				return err
			}
			_, _ = io.WriteString(conn, "PUT /flood HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
			return pace(ctx, 1<<30, 10_000, func(int) error {
				_, err := io.WriteString(conn, chunks)
				if err == nil {
					s.note("chunks up", 100)
				}
				return err
			})
		})
	})
}

func earlyHints(ctx context.Context, s *stage) error {
	return withConnection(ctx, 0, func(conn net.Conn) error {
		_, _ = io.WriteString(conn, "GET /hints?1000000 HTTP/1.1\r\n\r\n")
		answers := bufio.NewReader(conn)
		for {
			line, err := answers.ReadString('\n')
			if err != nil || strings.HasPrefix(line, "HTTP/1.1 200") {
				return err
			}
			if strings.HasPrefix(line, "HTTP/1.1 103") {
				s.note("interim answers", 1)
			}
		}
	})
}

func pipelined(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return together(4, func(i int) error {
		return withConnection(ctx, i, func(conn net.Conn) error {
			go io.WriteString(conn, strings.Repeat(head+"\r\n", 9_999)+head+"Connection: close\r\n\r\n")
			return readAnswers(bufio.NewReader(conn), 10_000)
		})
	})
}

// readAnswers reads answers until there were n.
func readAnswers(answers *bufio.Reader, n int) error {
	for n > 0 {
		line, err := answers.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.Contains(line, "HTTP/1.1 200") {
			n--
		}
	}
	return nil
}

func keepAlive(aSecond int) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		n := 20 * aSecond
		return withConnection(ctx, 0, func(conn net.Conn) error {
			go io.Copy(io.Discard, conn)
			return pace(ctx, n, aSecond, func(int) error {
				_, err := io.WriteString(conn, head+"\r\n")
				return err
			})
		})
	}
}

func notHTTP(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	noise := make([]byte, 4<<10)
	_, _ = rand.Read(noise)
	openings := []string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", string(noise), "\x00", "GET", strings.Repeat("\r\n", 2000)}
	var made atomic.Uint64
	err := together(8, func(worker int) error {
		return pace(ctx, 2500, busy/8, func(i int) error {
			return withConnection(ctx, worker*256+i%250, func(conn net.Conn) error {
				made.Add(1)
				_, err := io.WriteString(conn, openings[i%len(openings)])
				return err
			})
		})
	})
	s.note("connections", made.Load())
	return err
}
