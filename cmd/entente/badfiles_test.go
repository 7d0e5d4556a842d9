package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"database/sql"
	"io"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptMake makes a file that is wrong in one way: make KIND FILE.
func scriptMake(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: make KIND FILE")
	}
	name := ts.MkAbs(args[1])
	switch args[0] {
	case "truncated":
		text := ts.ReadFile(args[1])
		ts.Check(os.WriteFile(name, []byte(text[:len(text)/2]), 0o644))
	case "deep":
		ts.Check(os.WriteFile(name, []byte(`{"bomFormat":"CycloneDX","specVersion":"1.5","x":`+strings.Repeat("[", 200_000)+strings.Repeat("]", 200_000)+"}"), 0o644))
	case "wrongtype":
		ts.Check(os.WriteFile(name, []byte(`{"bomFormat":"CycloneDX","specVersion":1.5,"components":{"name":7}}`), 0o644))
	case "gzipbomb":
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := io.WriteString(w, `{"bomFormat":"CycloneDX","specVersion":"1.5","x":"`)
		ts.Check(err)
		fill(ts, w)
		ts.Check(w.Close())
		ts.Check(os.WriteFile(name, b.Bytes(), 0o644))
	case "zipbomb":
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("GHSA-aaaa-bbbb-cccc.json")
		ts.Check(err)
		fill(ts, w)
		ts.Check(z.Close())
		ts.Check(os.WriteFile(name, b.Bytes(), 0o644))
	case "newer":
		change(ts, name, `INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (9999, 1, datetime('now'))`)
	case "tampered":
		change(ts, name, `UPDATE journal_event SET actor = 'somebody else' WHERE seq = 3`)
	default:
		ts.Fatalf("make does not know %s", args[0])
	}
}

// change does to a database what only somebody with the file in their hands can.
func change(ts *testscript.TestScript, name, statement string) {
	d, err := sql.Open("sqlite", name)
	ts.Check(err)
	_, err = d.Exec(statement)
	ts.Check(err)
	ts.Check(d.Close())
}

// fill writes 100 MiB that compress to almost nothing.
func fill(ts *testscript.TestScript, w io.Writer) {
	zeros := bytes.Repeat([]byte{' '}, 1<<20)
	for range 100 {
		_, err := w.Write(zeros)
		ts.Check(err)
	}
}

// scriptTaken runs a command with the address of the started server as its last
// argument and expects that it is refused as bad input.
func scriptTaken(ts *testscript.TestScript, neg bool, args []string) {
	address := strings.TrimPrefix(ts.Getenv("URL"), "http://")
	scriptCode(ts, neg, append([]string{"2"}, append(args, address)...))
}
