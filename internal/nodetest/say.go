package nodetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/api"
)

// person is one of the people of an organisation, who speaks and reads over the API of
// its node by a token of their own: what they may and what they see is decided there.
type person struct {
	*Organisation
	name string
}

// spoken are the verbs that the API has an operation for.
var spoken = map[string]func(context.Context, person, line) error{
	"imports": imports, "says": says, "previews": previews, "passes": passes, "sees": sees, "knows": knows,
	"reads": reacts("/read"), "acknowledges": reacts("/acknowledge"), "ledger": ledger, "recalls": recalls, "narrows": narrows, "embargoes": embargoes,
	"partner": looks(""), "contradictions": looks("/contradictions"), "asks": asks, "writes": writes, "takes": takes,
}

// tell asks the API and reads its answer.
func tell[T any](ctx context.Context, p person, method, path string, body any) (out T, err error) {
	text, err := p.ask(ctx, p.name, method, path, body)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(text, &out)
}

// label writes a label of a story as the API has it: amber+strict.
func label(name string) string { return "TLP:" + strings.ToUpper(name) }

func imports(ctx context.Context, p person, l line) error {
	text, err := l.read(0)
	if err == nil {
		_, err = p.ask(ctx, p.name, http.MethodPut, "/map", file{"application/yaml", text})
	}
	return err
}

// statement reads what somebody wants to say: the fields that the file has, or the file
// as a whole where the API takes a record.
func statement(ctx context.Context, p person, l line) (n map[string]any, err error) {
	more, err := l.words(2)
	if err != nil {
		return nil, err
	}
	kind, name := l.args[0], strings.TrimSuffix(l.args[1], filepath.Ext(l.args[1]))
	text, err := l.read(1)
	if err != nil {
		return nil, err
	}
	n = map[string]any{}
	if kind == string(entente.EntryAdvisory) {
		n["record"] = json.RawMessage(text)
	} else if err := json.Unmarshal(text, &n); err != nil {
		return nil, err
	}
	if kind == string(entente.EntryPractice) {
		n["title"] = name
	}
	n["kind"], n["label"], n["basis"] = kind, label(more["as"]), more["because"]
	switch to := more["to"]; to {
	case "all":
		n["everyone"] = true
	case "nobody":
	default:
		var parties []entente.PartyID
		for name := range strings.SplitSeq(to, ",") {
			party, err := p.party(ctx, name)
			if err != nil {
				return nil, err
			}
			parties = append(parties, party)
		}
		n["to"] = parties
	}
	if more["for"] != "" {
		n["named"] = strings.Split(more["for"], ",")
	}
	if more["with"] == "" {
		return n, nil
	}
	content, err := os.ReadFile(l.file(more["with"]))
	if err != nil {
		return nil, err
	}
	n["file"], err = tell[api.SharedFile](ctx, p, http.MethodPost, "/files?name="+url.QueryEscape(more["with"])+"&type=application/json", file{"application/octet-stream", content})
	return n, err
}

// says says something; if nobody may have it, the preview tells why.
func says(ctx context.Context, p person, l line) error {
	n, err := statement(ctx, p, l)
	if err != nil {
		return err
	}
	said, err := tell[api.Said](ctx, p, http.MethodPost, "/statements", n)
	if err != nil {
		return errors.Join(err, previews(ctx, p, l))
	}
	printSaid(l.out, said)
	st, err := tell[api.StatementDetail](ctx, p, http.MethodGet, "/ledger/"+said.ID, nil)
	p.world.subjects[l.args[0]+"/"+strings.TrimSuffix(l.args[1], filepath.Ext(l.args[1]))] = st.Subject
	return err
}

func previews(ctx context.Context, p person, l line) error {
	n, err := statement(ctx, p, l)
	if err != nil {
		return err
	}
	n["preview"] = true
	said, err := tell[api.Said](ctx, p, http.MethodPost, "/statements", n)
	printSaid(l.out, said)
	return err
}

// subject is what an entry is about, by its own name or by the kind and the file by
// which the story said it.
func (w *World) subject(name string) string {
	if subject := w.subjects[name]; subject != "" {
		return subject
	}
	return name
}

// received finds what another said about a subject, as this person may see it: the
// latest.
func received(ctx context.Context, p person, l line) (e api.InboxEntry, more map[string]string, err error) {
	more, err = l.words(1)
	if err != nil {
		return e, nil, err
	}
	party, err := p.party(ctx, more["of"])
	if err != nil {
		return e, nil, err
	}
	list, err := tell[api.List[api.InboxEntry]](ctx, p, http.MethodGet, "/inbox?limit=200&party="+string(party), nil)
	if err != nil {
		return e, nil, err
	}
	for _, e := range list.Items {
		if e.Subject == p.world.subject(l.args[0]) {
			e, err = tell[api.InboxEntry](ctx, p, http.MethodGet, "/inbox/"+e.ID, nil)
			return e, more, err
		}
	}
	return e, nil, refusal{fmt.Errorf("%s sees nothing of %s about %s", p.Name, more["of"], l.args[0])}
}

func sees(ctx context.Context, p person, l line) error {
	e, _, err := received(ctx, p, l)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.out, "%s of %s, %s, %s: %s\n", e.Subject, e.Name, e.Label, e.State, e.Why)
	if e.Originator != "" {
		fmt.Fprintf(l.out, "first said by %s\n", e.Originator)
	}
	body, err := json.Marshal(e.Body)
	fmt.Fprintf(l.out, "%s: %s\n%s\n", e.Outcome, e.OutcomeWhy, body)
	return err
}

// passes passes on what another said, to somebody who needs to know it; if they may not
// have it, the preview tells why.
func passes(ctx context.Context, p person, l line) error {
	e, more, err := received(ctx, p, l)
	if err != nil {
		return err
	}
	to, err := p.party(ctx, more["to"])
	if err != nil {
		return err
	}
	at := "/inbox/" + e.ID + "/pass-on"
	said, err := tell[api.Said](ctx, p, http.MethodPost, at, map[string]any{"to": []entente.PartyID{to}, "why": "they run what it is about"})
	if err != nil {
		var no error
		said, no = tell[api.Said](ctx, p, http.MethodPost, at, map[string]any{"preview": true})
		err = errors.Join(err, no)
	}
	printSaid(l.out, said)
	return err
}

// reacts tells a partner what a person did with an entry.
func reacts(how string) func(context.Context, person, line) error {
	return func(ctx context.Context, p person, l line) error {
		e, _, err := received(ctx, p, l)
		if err != nil {
			return err
		}
		_, err = p.ask(ctx, p.name, http.MethodPost, "/inbox/"+e.ID+how, nil)
		return err
	}
}

func printSaid(w io.Writer, said api.Said) {
	for _, l := range said.Partners {
		fmt.Fprintf(w, "%s %s: %s\n", l.Name, getsIt(l.Allowed), l.Reason)
	}
}

func getsIt(allowed bool) string {
	if allowed {
		return "gets it"
	}
	return "does not get it"
}

// inLedger finds what the organisation said about a subject: the latest.
func inLedger(ctx context.Context, p person, name string) (st api.StatementDetail, err error) {
	list, err := tell[api.List[api.StatementBrief]](ctx, p, http.MethodGet, "/ledger?subject="+url.QueryEscape(p.world.subject(name)), nil)
	if err != nil {
		return st, err
	}
	if len(list.Items) == 0 {
		return st, refusal{fmt.Errorf("%s said nothing about %s", p.Name, name)}
	}
	return tell[api.StatementDetail](ctx, p, http.MethodGet, "/ledger/"+list.Items[0].ID, nil)
}

func ledger(ctx context.Context, p person, l line) error {
	if len(l.args) != 1 {
		return errUsage
	}
	st, err := inLedger(ctx, p, l.args[0])
	for _, line := range st.Partners {
		fmt.Fprintf(l.out, "%s %s: %s", line.Name, getsIt(line.Entitled), line.Reason)
		for _, mark := range []struct {
			what string
			at   *time.Time
		}{{"delivered", line.Delivered}, {"read", line.Read}, {"acknowledged", line.Acknowledged}, {"taken back", line.Confirmed}} {
			if mark.at != nil {
				fmt.Fprintf(l.out, " [%s]", mark.what)
			}
		}
		if line.Told && line.Confirmed == nil {
			fmt.Fprint(l.out, " [asked to take it back]")
		}
		fmt.Fprintln(l.out)
	}
	return err
}

func recalls(ctx context.Context, p person, l line) error {
	more, err := l.words(1)
	if err != nil {
		return err
	}
	st, err := inLedger(ctx, p, l.args[0])
	if err == nil {
		_, err = p.ask(ctx, p.name, http.MethodPost, "/ledger/"+st.ID+"/recall", map[string]any{"reason": more["because"]})
	}
	return err
}

func narrows(ctx context.Context, p person, l line) error {
	more, err := l.words(1)
	if err != nil {
		return err
	}
	st, err := inLedger(ctx, p, l.args[0])
	if err == nil {
		_, err = p.ask(ctx, p.name, http.MethodPost, "/ledger/"+st.ID+"/narrow", map[string]any{"label": label(more["as"]), "reason": more["because"]})
	}
	return err
}

func embargoes(ctx context.Context, p person, l line) error {
	if len(l.args) != 4 && len(l.args) != 6 {
		return errUsage
	}
	party, err := p.party(ctx, l.args[2])
	if err != nil {
		return err
	}
	step := map[string]any{"subject": l.args[0], "act": l.args[3]}
	if len(l.args) == 6 {
		length, err := time.ParseDuration(l.args[5])
		if err != nil {
			return err
		}
		step["until"] = time.Now().Add(length).UTC().Truncate(time.Second)
	}
	_, err = p.ask(ctx, p.name, http.MethodPost, "/partners/"+string(party)+"/embargo", step)
	return err
}

func knows(ctx context.Context, p person, l line) error {
	if len(l.args) != 1 {
		return errUsage
	}
	text, err := p.ask(ctx, p.name, http.MethodGet, "/advisories/"+l.args[0]+"/impact", nil)
	fmt.Fprintf(l.out, "%s\n", text)
	return err
}

// looks prints what the API tells of a partner.
func looks(what string) func(context.Context, person, line) error {
	return func(ctx context.Context, p person, l line) error { return ofPartner(ctx, p, l, http.MethodGet, what) }
}

func asks(ctx context.Context, p person, l line) error {
	return ofPartner(ctx, p, l, http.MethodPost, "/ask")
}

func ofPartner(ctx context.Context, p person, l line, method, what string) error {
	if len(l.args) != 1 {
		return errUsage
	}
	party, err := p.party(ctx, l.args[0])
	if err != nil {
		return err
	}
	text, err := p.ask(ctx, p.name, method, "/partners/"+string(party)+what, nil)
	fmt.Fprintf(l.out, "%s\n", text)
	return err
}

func writes(ctx context.Context, p person, l line) error {
	more, err := l.words(1)
	if err != nil {
		return err
	}
	party, err := p.party(ctx, more["for"])
	if err != nil {
		return err
	}
	text, err := p.ask(ctx, p.name, http.MethodGet, "/partners/"+string(party)+"/entries", nil)
	if err != nil {
		return err
	}
	return os.WriteFile(l.file(l.args[0]), text, 0o600)
}

func takes(ctx context.Context, p person, l line) error {
	text, err := l.read(0)
	if err != nil {
		return err
	}
	done, err := tell[api.ImportedEntries](ctx, p, http.MethodPost, "/partner-entries", file{"application/octet-stream", text})
	fmt.Fprintf(l.out, "%d entries of %s, which holds %d of ours. %s\n", done.New, done.Name, done.Acknowledged, done.Refused)
	return err
}

// read reads the file of the story that an argument names.
func (l line) read(n int) ([]byte, error) {
	if len(l.args) <= n {
		return nil, errUsage
	}
	return os.ReadFile(l.file(l.args[n]))
}
