package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// MailServer is where the node's mail goes.
type MailServer struct {
	From mail.Address

	host, port     string
	wrapped        bool // TLS from the first byte, instead of STARTTLS
	user, password string
	roots          *x509.CertPool // nil: those of the system
}

// mailTime bounds one delivery to the server.
const mailTime = 30 * time.Second

// NewMailServer reads what an operator says of a server: "smtp://…" begins in the
// clear and turns to TLS by STARTTLS, "smtps://…" is TLS from the first byte.
func NewMailServer(address, from string) (*MailServer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, entente.Invalid("the mail server's address cannot be read; write it like smtp://user:password@mail.example.com:587")
	}
	m := &MailServer{host: u.Hostname(), port: u.Port(), user: u.User.Username()}
	m.password, _ = u.User.Password()
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps", m.host == "", strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "":
		return nil, entente.Invalid("the mail server's address must be smtp://user:password@host:port, or smtps:// for TLS from the first byte")
	case m.user != "" && m.password == "":
		return nil, entente.Invalid("the mail server's address names a user without a password")
	}
	m.wrapped = u.Scheme == "smtps"
	if m.port == "" {
		m.port = "587"
		if m.wrapped {
			m.port = "465"
		}
	}
	parsed, err := mail.ParseAddress(from)
	if err != nil {
		return nil, entente.Invalid("mail needs a sender; write it like \"Entente <entente@example.com>\"")
	}
	m.From = *parsed
	return m, nil
}

var errNoTLS = errors.New("the mail server offers no STARTTLS, and mail is not sent in the clear; take smtps:// or another server")

// send gives one message to the server.
func (m *MailServer) send(ctx context.Context, to string, message []byte) (err error) {
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(m.host, m.port))
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	err = conn.SetDeadline(deadline)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	secure := &tls.Config{ServerName: m.host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
	if m.wrapped {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer c.Close() // after Quit, it is closed already
	if !m.wrapped {
		switch offered, _ := c.Extension("STARTTLS"); {
		case offered:
			if err := c.StartTLS(secure); err != nil {
				return err
			}
		case !m.here():
			return errNoTLS
		}
	}
	if m.user != "" {
		if err := c.Auth(smtp.PlainAuth("", m.user, m.password, m.host)); err != nil {
			return err
		}
	}
	if err := c.Mail(m.From.Address); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // it has the message; how it says goodbye does not matter
	return nil
}

// here says whether the server runs on this machine, so that nothing can listen in.
func (m *MailServer) here() bool {
	ip, err := netip.ParseAddr(m.host)
	return m.host == "localhost" || err == nil && ip.IsLoopback()
}

// refused says whether the server will never take the message.
func refused(err error) bool {
	var answer *textproto.Error
	return errors.As(err, &answer) && answer.Code >= 500 && answer.Code != 535 // a wrong password can be put right
}
