package notify

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// post is a small mail server.
type post struct {
	net.Listener
	secure  *tls.Config
	roots   *x509.CertPool
	offers  bool // STARTTLS
	wrapped bool
	refuses int // with this code, what is sent to anybody

	mu  sync.Mutex
	got []letter
}

type letter struct {
	to, user string
	secured  bool
	text     []byte
}

func newPost(t testing.TB, change func(*post)) *post {
	t.Helper()
	// The certificate of a test server of the standard library, for example.com.
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	p := &post{secure: &tls.Config{Certificates: s.TLS.Certificates}, roots: x509.NewCertPool(), offers: true}
	p.roots.AddCert(s.Certificate())
	s.Close()
	if change != nil {
		change(p)
	}
	var err error
	p.Listener, err = net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { _ = p.Close() })
	go func() {
		for {
			conn, err := p.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// server is how a node knows it.
func (p *post) server(t testing.TB) *MailServer {
	t.Helper()
	scheme := "smtp"
	if p.wrapped {
		scheme = "smtps"
	}
	m, err := NewMailServer(scheme+"://entente:pass%20word@"+p.Addr().String(), "Entente <entente@beanline.example>")
	ok(t, err)
	m.roots = p.roots
	return m
}

func (p *post) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var one letter
	if p.wrapped {
		conn, one.secured = tls.Server(conn, p.secure), true
	}
	r := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 post.beanline.example")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(word) {
		case "EHLO":
			say("250-post.beanline.example")
			if p.offers && !one.secured {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, p.secure)
			r, one.secured = bufio.NewReader(conn), true
		case "AUTH":
			plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			one.user = strings.ReplaceAll(string(plain), "\x00", "|")
			say("235 welcome")
		case "MAIL":
			say("250 good")
		case "RCPT":
			if p.refuses > 0 {
				say(fmt.Sprintf("%d no", p.refuses))
				continue
			}
			one.to = strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>")
			say("250 good")
		case "DATA":
			say("354 go on")
			var b bytes.Buffer
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			one.text = b.Bytes()
			p.mu.Lock()
			p.got = append(p.got, one)
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 what")
		}
	}
}

func (p *post) all() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.got...)
}

// read takes a message apart as a mail program does.
func read(t testing.TB, text []byte) (*mail.Message, string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(text))
	ok(t, err)
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	ok(t, err)
	return m, strings.ReplaceAll(string(body), "\r\n", "\n")
}

func TestMail(t *testing.T) {
	for name, change := range map[string]func(*post){"STARTTLS": nil, "TLS from the first byte": func(p *post) { p.wrapped = true }} {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, change)
			h := newHouse(t, dbtest.SQLite(t), Config{Mail: p.server(t)})
			text := "Straße 1\n.\n" + strings.Repeat("long ", 300) + "\nhttps://entente.example/x?a=b\n"
			ok(t, h.Mail(t.Context(), h.owner, Mail{To: "neu@beanline.example", Subject: "Grüße\r\nBcc: everybody@x.example", Text: text}))
			h.run()
			got := p.all()
			if len(got) != 1 || got[0].to != "neu@beanline.example" || !got[0].secured || got[0].user != "|entente|pass word" {
				t.Fatalf("got %d letters: %+v", len(got), got)
			}
			m, body := read(t, got[0].text)
			if body != text || m.Header.Get("Bcc") != "" || m.Header.Get("From") != `"Entente" <entente@beanline.example>` || m.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("the message: %v\n%q", m.Header, body)
			}
		})
	}
}

// Mail is never sent in the clear to another machine, a certificate must fit, and
// what waits lies sealed in the database.
func TestMailIsSecret(t *testing.T) {
	p := newPost(t, func(p *post) { p.offers = false })
	m := p.server(t)
	m.host = "127.0.0.1"
	if !m.here() {
		t.Error("this machine is another one")
	}
	m.host = "post.example"
	if m.here() {
		t.Error("another machine is this one")
	}
	p = newPost(t, nil)
	m = p.server(t)
	m.roots = x509.NewCertPool()
	if err := m.send(t.Context(), "a@b.example", []byte("x")); err == nil || len(p.all()) > 0 {
		t.Errorf("a certificate of nobody: %v", err)
	}
	h := newHouse(t, dbtest.SQLite(t), Config{Mail: p.server(t)})
	ok(t, h.Mail(t.Context(), h.owner, Mail{To: "a@b.example", Subject: "s", Text: "https://entente.example/new-password?key=opens"}))
	ok(t, h.db.Read(t.Context(), func(tx *db.Tx) error {
		bodies, err := db.All(t.Context(), tx, db.Value[string], "SELECT body FROM journal_job WHERE org = $1", beanline)
		if len(bodies) != 1 || strings.Contains(bodies[0], "opens") {
			t.Errorf("what waits: %v", bodies)
		}
		return err
	}))
}

// What the server cannot take now is sent later, what it refuses is not, and what is
// of no use any more neither.
func TestMailThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		until time.Duration
		later int // jobs that wait afterwards
	}{"later": {450, 0, 1}, "never": {550, 0, 0}, "too late": {0, -time.Minute, 0}} {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, func(p *post) { p.refuses = c.code })
			h := newHouse(t, dbtest.SQLite(t), Config{Mail: p.server(t)})
			m := Mail{To: "a@b.example", Subject: "s", Text: "t"}
			if c.until != 0 {
				m.Until = time.Now().Add(c.until)
			}
			ok(t, h.Mail(t.Context(), h.owner, m))
			_ = runnerOf(h.db, h.Service).CatchUp(t.Context(), beanline) // it tells of jobs that were given up
			ok(t, h.db.Read(t.Context(), func(tx *db.Tx) error {
				n, err := db.One(t.Context(), tx, db.Value[int], "SELECT count(*) FROM journal_job WHERE org = $1 AND state = 'waiting'", beanline)
				if n != c.later || len(p.all()) > 0 {
					t.Errorf("%d wait, want %d; %d were sent", n, c.later, len(p.all()))
				}
				return err
			}))
		})
	}
}

// Who gets a new way to sign in, or whose password is changed, hears of it by mail;
// owners hear of a webhook that was stopped.
func TestAlerts(t *testing.T) {
	eachDB := func(t *testing.T, d *db.DB) {
		p := newPost(t, nil)
		h := newHouse(t, d, Config{Mail: p.server(t), AllowPrivate: true})
		h.happen(identity.EventFactorAdded, string(h.lead.Person))
		h.happen(EventStopped, "hook")
		h.happen(identity.EventSignedIn, string(h.lead.Person))
		h.run()
		to := map[string]string{}
		for _, one := range p.all() {
			_, body := read(t, one.text)
			to[one.to] = body
		}
		if len(p.all()) != 2 || !strings.Contains(to["leo@beanline.example"], "new way to sign in") || !strings.Contains(to["ada@beanline.example"], "/o/beanline/webhooks/hook") {
			t.Errorf("mail: %+v", to)
		}
		// An operator who sets mail up later does not tell the past.
		h.happen(identity.EventFactorAdded, string(h.lead.Person))
		h.later(alertLife + time.Hour)
		h.run()
		if n := len(p.all()); n != 2 {
			t.Errorf("%d letters", n)
		}
	}
	dbtest.Each(t, eachDB)
}

// Each hears of it in their own language, down to the reason.
func TestAlertsInTheirLanguage(t *testing.T) {
	p := newPost(t, nil)
	h := newHouse(t, dbtest.SQLite(t), Config{Mail: p.server(t), Say: func(likes identity.Preferences, m entente.Message) string {
		said := "‹" + likes.Language + " " + likes.Zone + "› " + string(m.Text)
		for _, a := range m.Args {
			if inner, is := a.(entente.Message); is {
				said += " ‹" + string(inner.Text) + "›"
			}
		}
		return said
	}})
	ok(t, h.identity.SetPreferences(t.Context(), identity.Session{Person: identity.Person{ID: h.owner.Person}}, identity.Preferences{Language: "de", Zone: "Europe/Berlin"}))
	ok(t, h.db.Write(t.Context(), beanline, func(tx *db.Tx) error {
		return journal.Append(t.Context(), tx, h.system(), EventStopped, "hook", map[string]any{"name": "Desk", "why": "the answer 500 is no success"})
	}))
	h.happen(identity.EventFactorAdded, string(h.lead.Person))
	h.run()
	to := map[string]string{}
	for _, one := range p.all() {
		m, body := read(t, one.text)
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		ok(t, err)
		to[one.to] = subject + "\n" + body
	}
	for address, want := range map[string][]string{
		"ada@beanline.example": {"Entente: ‹de Europe/Berlin› A webhook was stopped", "‹de Europe/Berlin› The reason: %s. ‹the answer %d is no success›"},
		"leo@beanline.example": {"‹ › A new way to sign in was added"},
	} {
		for _, w := range want {
			if !strings.Contains(to[address], w) {
				t.Errorf("to %s, without %q: %s", address, w, to[address])
			}
		}
	}
}

// Without a server nothing is queued.
func TestNoMail(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t), Config{})
	wants(t, entente.KindUnavailable, h.Mail(t.Context(), h.owner, Mail{To: "a@b.example"}))
	h.happen(identity.EventFactorAdded, string(h.lead.Person))
	h.run()
	ok(t, h.db.Read(t.Context(), func(tx *db.Tx) error {
		n, err := db.One(t.Context(), tx, db.Value[int], "SELECT count(*) FROM journal_job WHERE org = $1", beanline)
		if n != 0 {
			t.Errorf("%d jobs", n)
		}
		return err
	}))
}

func TestMailServers(t *testing.T) {
	for address, want := range map[string]bool{
		"smtp://mail.example.com": true, "smtps://u:p@mail.example.com": true, "smtp://u:p@127.0.0.1:2525": true,
		"mail.example.com": false, "http://mail.example.com": false, "smtp://": false, "smtp://u@mail.example.com": false, "smtp://mail.example.com/x": false, "smtp://a b": false,
	} {
		if _, err := NewMailServer(address, "entente@example.com"); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := NewMailServer("smtp://mail.example.com", "nobody"); err == nil {
		t.Error("mail has no sender")
	}
}
