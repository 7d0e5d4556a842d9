package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/entente-project/entente"
)

// isConflict says whether PostgreSQL gave up a transaction for another one.
func isConflict(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return pg.Code == "40001" || pg.Code == "40P01"
}

// isLost says whether the connection to the database is gone.
func isLost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// 57P01..57P03: the server shuts down or starts; 08: connection; 53300: too many.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P0") || pg.Code == "53300"
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		err != nil && strings.Contains(err.Error(), "conn closed")
}

// explain gives an error that a person can act on its kind and message. Errors
// that have a kind already, and faults of the program, stay as they are.
func explain(err error) error {
	if err == nil || entente.KindOf(err) != entente.KindInternal ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return entente.Unavailable("the database is busy; try again: %w", err)
		case sqlite3.SQLITE_FULL:
			return entente.Unavailable("the disk of the database is full; make room and try again: %w", err)
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return entente.Unavailable("the database file cannot be used: %w", err)
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return entente.Invalid("the file is not a sound SQLite database; restore a backup: %w", err)
		}
		return err
	}
	if isLost(err) {
		return entente.Unavailable("the database cannot be reached; try again: %w", err)
	}
	return err
}
