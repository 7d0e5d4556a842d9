package db

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/entente-project/entente"
)

// fileLock keeps a second process from one SQLite file. The lock is held on a
// file beside the database and ends with the process, however it ends. The file
// itself stays, since removing it would let two processes lock two files.
type fileLock struct{ f *os.File }

var errLocked = errors.New("locked")

func lockFile(database string) (*fileLock, error) {
	path := database + ".lock"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, entente.Invalid("the database %s cannot be opened: %s", database, err.Error()).Because(err)
	}
	if err := tryLock(f); err != nil {
		holder := ""
		if b, rerr := io.ReadAll(io.LimitReader(f, 32)); rerr == nil {
			if pid := strings.TrimSpace(string(b)); pid != "" {
				holder = " (pid " + pid + ")"
			}
		}
		cerr := f.Close()
		if !errors.Is(err, errLocked) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), cerr)
		}
		return nil, entente.Conflict("another Entente process%s already uses %s; stop it, or choose another data folder", holder, database)
	}
	l := &fileLock{f: f}
	if err := writePID(f); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), l.release())
	}
	return l, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// release frees the lock by closing its file.
func (l *fileLock) release() error { return l.f.Close() }
