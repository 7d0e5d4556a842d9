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

// IsDuplicate says whether a statement failed because a row with the same key,
// or the same value of a unique index, is there already.
func IsDuplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// explain gives an error of a driver, which a person can act on, its kind and a
// message; the cause goes to the log. Others stay as they are. It is not for
// errors of rooms: theirs may come from a network or a file of their own.
func explain(err error) error {
	if err == nil || entente.KindOf(err) != entente.KindInternal ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	say := func(kind entente.Kind, text entente.Text) error {
		return &entente.Error{Kind: kind, Message: entente.Say(text), Err: err}
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return say(entente.KindUnavailable, "the database is busy; try again")
		case sqlite3.SQLITE_FULL:
			return say(entente.KindUnavailable, "the disk of the database is full; make room and try again")
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return say(entente.KindUnavailable, "the database file cannot be used; look at the disk and the rights of the file")
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return say(entente.KindInvalid, "the file is not a sound SQLite database; restore a backup")
		}
		return err
	}
	if isLost(err) {
		return say(entente.KindUnavailable, "the database cannot be reached; try again")
	}
	return err
}

// opening adds to an error of Open which database it is about, and its cause,
// since who starts the program is the one who can help.
func opening(name string, err error) error {
	explained := explain(err)
	var e *entente.Error
	if errors.As(explained, &e) && explained != err {
		return &entente.Error{Kind: e.Kind, Message: entente.Say("database %s: %s (%s)", name, e.Message, err.Error()), Err: err}
	}
	if errors.As(err, &e) {
		return err
	}
	return wrapf(err, "database %s", name)
}
