package dbtest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// Counted gives the address of a PostgreSQL server by a way that counts how often it
// said that it is ready for more: how often it was asked, but for what is asked together.
func Counted(t testing.TB, address string, ways *atomic.Int64) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	const socket = ".s.PGSQL.5432"
	q := u.Query()
	server := filepath.Join(q.Get("host"), socket)
	// Not the test's own folder: the name of a socket has to be short.
	dir, err := os.MkdirTemp("", "db")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", server)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				io.Copy(to, client)
				to.Close()
			}()
			go func() {
				defer client.Close()
				for {
					// Every message of the server: a letter, its length, itself.
					head := make([]byte, 5)
					if _, err := io.ReadFull(to, head); err != nil {
						return
					}
					if head[0] == 'Z' {
						ways.Add(1)
					}
					if _, err := client.Write(head); err != nil {
						return
					}
					if _, err := io.CopyN(client, to, int64(binary.BigEndian.Uint32(head[1:]))-4); err != nil {
						return
					}
				}
			}()
		}
	}()
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	return u.String()
}
