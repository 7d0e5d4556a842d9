package notify

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/journal"
)

// How deliveries go on.
const (
	// stopAfter is how long a hook may fail without one success before it is stopped.
	stopAfter = 3 * 24 * time.Hour
	// bothSecrets is how long the secret before a new one counts too.
	bothSecrets = 24 * time.Hour
	// keepLog is how long a delivery is kept, and mostKept how many of one hook are.
	keepLog  = 30 * 24 * time.Hour
	mostKept = 10_000
	maxHooks = 20
)

// waits are the pauses after the first, second, … failure: a day in all, in which a
// receiver that is repaired in working hours hears everything.
var waits = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 10 * time.Hour,
}

// again says when a delivery is tried again after so many attempts; false when it is
// given up. A tenth more or less keeps what failed together from coming together.
func again(attempts int) (time.Duration, bool) {
	if attempts < 1 || attempts > len(waits) {
		return 0, false
	}
	wait := waits[attempts-1]
	return wait*9/10 + mathrand.N(wait/5), true
}

// secretMark begins a secret, as Standard Webhooks writes it.
const secretMark = "whsec_"

func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return secretMark + base64.StdEncoding.EncodeToString(b)
}

// sign makes the signature of a message, "v1,…", as Standard Webhooks lays down.
func sign(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretMark))
	if err != nil || len(key) == 0 {
		return "", fmt.Errorf("a webhook's secret is not %s and base64", secretMark)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// messageID is the webhook-id of an event for a hook: the same whenever it is asked.
func messageID(org entente.OrgID, hook string, seq int64) string {
	sum := sha256.Sum256([]byte(string(org) + "\x00" + hook + "\x00" + strconv.FormatInt(seq, 10)))
	return "msg_" + hex.EncodeToString(sum[:14])
}

// Message is what a hook is sent: that something happened, and where to look.
type Message struct {
	Type      journal.Kind `json:"type"`
	Timestamp time.Time    `json:"timestamp"` // of the event
	Data      MessageData  `json:"data"`
}

// MessageData tells which event it was. It holds no content: what the event changed
// is asked for with a token whose rights are checked.
type MessageData struct {
	Organisation entente.OrgID     `json:"organisation"`
	Event        int64             `json:"event"`
	Subject      string            `json:"subject"`
	Links        map[string]string `json:"links"`
}

// messageOf makes the body of a message.
func messageOf(origin string, k EventKind, e journal.Event) ([]byte, error) {
	links := map[string]string{"event": fmt.Sprintf("%s/api/v1/events?after=%d&limit=1", origin, e.Seq-1)}
	if path := k.path(e.Org, e.Subject); path != "" {
		links["page"] = origin + path
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // so that links can be read
	err := enc.Encode(Message{Type: e.Kind, Timestamp: e.At.UTC(), Data: MessageData{Organisation: e.Org, Event: e.Seq, Subject: e.Subject, Links: links}})
	return bytes.TrimSpace(b.Bytes()), err
}

// cleanURL checks an address as somebody wrote it. Where its name leads is seen when
// it is called (see [reachable]).
func cleanURL(text string, allowPrivate bool) (string, error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	switch {
	case len(text) > 1000:
		return "", entente.TooLarge("the address is longer than 1000 characters")
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "", entente.Invalid("the address is not a URL; write it like https://hooks.example.com/entente")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowPrivate):
		return "", entente.Invalid("the address must begin with https://")
	case u.User != nil:
		return "", entente.Invalid("the address must not hold a name or a password; the signature tells that the message is ours")
	case u.Fragment != "":
		return "", entente.Invalid("the address must not hold a # and what follows")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !allowPrivate && !reachable(ip) {
		return "", entente.Invalid("the address %s belongs to a private network or to the node itself; take one that can be reached from outside", ip)
	}
	return u.String(), nil
}

// closed are networks that are not the internet's: private, this machine's, this
// link's, those of clouds for their machines, and those kept for documents and tests.
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
	"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

// The networks of IPv6 that carry an address of IPv4, and at which byte it stands.
var carriers = []struct {
	within netip.Prefix
	at     int
}{{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}}

func prefixes(all ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// reachable says whether a hook may lead to the address.
func reachable(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range closed {
		if p.Contains(ip) {
			return false
		}
	}
	for _, c := range carriers {
		if c.within.Contains(ip) {
			b := ip.As16()
			return reachable(netip.AddrFrom4([4]byte(b[c.at : c.at+4])))
		}
	}
	return ip.IsValid()
}
