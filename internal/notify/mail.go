package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Mail is one message to one person, in plain text.
type Mail struct {
	To      string
	Subject string
	Text    string
	// Until is when it is of no use any more; zero: it always is.
	Until time.Time
}

const maxMail = 64 << 10

// CanMail says whether the node has a server that takes mail.
func (s *Service) CanMail() bool { return s.c.Mail != nil && s.c.Key.Check() != "" }

// Mail queues a message of the actor's organisation to somebody who is invited, or of
// the program to a member.
func (s *Service) Mail(ctx context.Context, actor entente.Actor, m Mail) error {
	if err := identity.Require(actor, identity.InvitationManage, identity.In(actor.Org)); err != nil {
		return err
	}
	if !s.CanMail() {
		return entente.Unavailable("this node sends no mail; its operator can give it a mail server")
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error { return s.queue(ctx, tx, actor.Org, m, 0, s.now()) })
}

// waitingMail is the body of a job. The message is sealed, for it may hold a link that
// opens something.
type waitingMail struct {
	Sealed   []byte    `json:"sealed"`
	Attempts int       `json:"attempts"` // so far
	Until    time.Time `json:"until"`
}

func mailContext(org entente.OrgID) string { return "mail " + string(org) }

func (s *Service) queue(ctx context.Context, tx *db.Tx, org entente.OrgID, m Mail, attempts int, due time.Time) error {
	if len(m.Text) > maxMail {
		return entente.TooLarge("the message has %d bytes; the limit is %d", len(m.Text), maxMail)
	}
	if _, err := mail.ParseAddress(m.To); err != nil {
		return entente.Invalid("%.60q is no e-mail address", m.To)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	sealed, err := s.c.Key.Seal(text, mailContext(org))
	if err != nil {
		return err
	}
	_, err = journal.Schedule(ctx, tx, org, jobMail, due, waitingMail{Sealed: sealed, Attempts: attempts, Until: m.Until})
	return err
}

// sendMail gives one message to the server, or queues it again for later.
func (s *Service) sendMail(ctx context.Context, job *journal.Job) error {
	var w waitingMail
	if err := job.Decode(&w); err != nil {
		return err
	}
	if s.c.Mail == nil {
		return journal.GiveUp(errors.New("the node has no mail server any more"))
	}
	now := s.now()
	if !w.Until.IsZero() && now.After(w.Until) {
		return journal.GiveUp(errors.New("the message is of no use any more"))
	}
	text, err := s.c.Key.Open(w.Sealed, mailContext(job.Org))
	if err != nil {
		return journal.GiveUp(err)
	}
	var m Mail
	if err := json.Unmarshal(text, &m); err != nil {
		return journal.GiveUp(err)
	}
	sum := sha256.Sum256(append([]byte(string(job.Org)), text...))
	err = s.c.Mail.send(ctx, m.To, compose(s.c.Mail.From, m, hex.EncodeToString(sum[:12]), now))
	if err == nil {
		return nil
	}
	wait, more := again(w.Attempts + 1)
	if refused(err) || !more {
		return journal.GiveUp(fmt.Errorf("the mail server did not take a message: %w", err))
	}
	s.c.Log.Warn("a message waits for the mail server", "org", job.Org, "attempt", w.Attempts+1, "again", now.Add(wait), "error", err)
	return job.Finish(ctx, func(tx *db.Tx) error { return s.queue(ctx, tx, job.Org, m, w.Attempts+1, now.Add(wait)) })
}

// compose writes the message as it goes over the wire. The same message gets the same
// Message-ID at every attempt.
func compose(from mail.Address, m Mail, id string, at time.Time) []byte {
	var b bytes.Buffer
	_, host, _ := strings.Cut(from.Address, "@")
	to := mail.Address{Address: m.To}
	for _, line := range []string{
		"From: " + from.String(), "To: " + to.String(), "Subject: " + mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(m.Subject), " ")),
		"Date: " + at.UTC().Format(time.RFC1123Z), "Message-ID: <" + id + "@" + host + ">", "Auto-Submitted: auto-generated",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "",
	} {
		b.WriteString(line + "\r\n")
	}
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n")))
	_ = w.Close() // a buffer takes everything
	return b.Bytes()
}
