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
