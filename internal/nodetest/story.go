package nodetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
)

// Play plays one story in the world.
func (w *World) Play(t *testing.T, file string) {
	t.Helper()
	commands := map[string]func(*testscript.TestScript, bool, []string){
		"settle": w.command(func(ctx context.Context, _ line) error { return w.Settle(ctx) }),
		"node":   w.command(w.steer),
		"link":   w.command(w.weather),
	}
	for name, o := range w.where {
		commands[name] = w.command(o.person("owner"))
		for person := range roles {
			commands[name+"/"+person] = w.command(o.person(person))
		}
	}
	testscript.Run(t, testscript.Params{Files: []string{file}, Cmds: commands})
}

// line is one line of a story after who acts.
type line struct {
	verb string
	args []string
	out  io.Writer
	file func(name string) string // the place of a file of the story
}

// command makes a command of something that is done or, after "!", must be refused.
func (w *World) command(do func(context.Context, line) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, refused bool, args []string) {
		if len(args) == 0 {
			args = []string{""}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*settleTime)
		defer cancel()
		err := do(ctx, line{verb: args[0], args: args[1:], out: ts.Stdout(), file: ts.MkAbs})
		switch {
		case err != nil && !refused:
			ts.Fatalf("%v", err)
		case err == nil && refused:
			ts.Fatalf("it was not refused")
		case err != nil:
			// What goes wrong otherwise must not pass for a refusal.
			var no refusal
			var said *entente.Error
			if !errors.As(err, &no) && !errors.As(err, &said) {
				ts.Fatalf("%v", err)
			}
			fmt.Fprintln(ts.Stderr(), err)
		}
	}
}

// refusal is the answer "no" of a node that is not an [entente.Error] here.
type refusal struct{ error }

// steer stops and starts nodes: node NAME stops|starts. One that is stopped can be
// copied, and put back to the last copy: node NAME is-backed-up|is-restored.
func (w *World) steer(_ context.Context, l line) error {
	n := w.node(l.verb)
	switch {
	case n == nil || len(l.args) != 1:
		return fmt.Errorf("usage: node NAME stops|starts|is-backed-up|is-restored")
	case l.args[0] == "stops":
		return n.Stop()
	case l.args[0] == "starts":
		return n.start()
	case n.Node != nil:
		return fmt.Errorf("the node must be stopped")
	case l.args[0] == "is-backed-up":
		n.backup = dbtest.Copy(w.t, n.database())
		return nil
	case l.args[0] == "is-restored":
		for _, o := range n.Hosts {
			clear(o.tokens) // those made since are not known any more
		}
		return n.restore(w.t)
	}
	return fmt.Errorf("a node stops, starts, is backed up or restored")
}

// weather sets what a link does: link NODE slow.
func (w *World) weather(_ context.Context, l line) error {
	n := w.node(l.verb)
	if n == nil || len(l.args) != 1 {
		return fmt.Errorf("usage: link NODE well|cut|slow|flapping|corrupting")
	}
	return n.link.Set(Weather(l.args[0]))
}

// errUsage says that a line of a story is not understood.
var errUsage = errors.New("this is not understood; the verbs are described at Organisation")

// words reads what follows after the first n arguments: as amber to beanline.
func (l line) words(n int) (map[string]string, error) {
	if len(l.args) < n || (len(l.args)-n)%2 != 0 {
		return nil, errUsage
	}
	found := map[string]string{}
	for pair := range slices.Chunk(l.args[n:], 2) {
		found[pair[0]] = pair[1]
	}
	return found, nil
}

// act is a verb: what a person of an organisation does.
type act func(context.Context, *Organisation, entente.Actor, line) error

// verbs are those that the API has no operation for; the others are spoken.
var verbs = map[string]act{
	"invites": invites, "accepts": accepts, "compares": compares, "holds": holds, "ends": ends,
	"moves-out": movesOut, "moves-in": movesIn, "stays": stays, "regains": regains,
}

// person gives what a person of the organisation can do in a story.
func (o *Organisation) person(name string) func(context.Context, line) error {
	return func(ctx context.Context, l line) error {
		if l.verb == "takes-seat" && len(l.args) == 1 {
			return o.takeSeat(ctx, o.world.where[l.args[0]])
		}
		actor, err := o.as(ctx, name)
		if err != nil {
			return err
		}
		if do, ok := verbs[l.verb]; ok {
			return do(ctx, o, actor, l)
		}
		if do, ok := spoken[l.verb]; ok {
			return do(ctx, person{o, name}, l)
		}
		return errUsage
	}
}

func invites(ctx context.Context, o *Organisation, actor entente.Actor, l line) error {
	more, err := l.words(2)
	other := o.world.where[l.args[0]]
	if err != nil || other == nil {
		return errors.Join(errUsage, err)
	}
	as := l.args[1]
	terms := exchange.StandardTerms(as != "customer", as != "supplier", time.Now())
	ticket, _, err := o.node.Exchange.Invite(ctx, actor, exchange.NewInvitation{Name: other.Title, KnownAs: more["known-as"], Terms: terms})
	if o.tickets == nil {
		o.tickets = map[string]exchange.Ticket{}
	}
	o.tickets[other.Name] = ticket
	return err
}

func accepts(ctx context.Context, o *Organisation, actor entente.Actor, l line) error {
	more, err := l.words(1)
	if err != nil {
		return err
	}
	of := o.Name
	if more["link-of"] != "" {
		of = more["link-of"]
	}
	ticket, ok := o.world.where[l.args[0]].tickets[of]
	if !ok {
		return fmt.Errorf("%s has not invited %s", l.args[0], o.Name)
	}
	_, err = o.node.Exchange.Accept(ctx, actor, ticket.Link(), []entente.Contact{{Name: "Security desk", Email: o.mail("lead")}}, more["known-as"])
	return err
}

// compares lets two people read the words to each other that their nodes show them.
func compares(ctx context.Context, o *Organisation, actor entente.Actor, l line) error {
	if len(l.args) != 1 {
		return errUsage
	}
	other := o.world.where[l.args[0]]
	party, err := o.party(ctx, other.Name)
	if err != nil {
		return err
	}
	var here, there struct {
		Words []string
		Key   string
	}
	text, err := o.ask(ctx, "owner", http.MethodGet, "/partners/"+string(party), nil)
	if err == nil {
		err = json.Unmarshal(text, &here)
	}
	if err != nil {
		return err
	}
	text, err = other.ask(ctx, "owner", http.MethodGet, "/key", nil)
	if err == nil {
		err = json.Unmarshal(text, &there)
	}
	if err != nil {
		return err
	}
	if len(here.Words) != 10 || !slices.Equal(here.Words, there.Words) {
		return fmt.Errorf("the words are not the same: %v and %v", here.Words, there.Words)
	}
	return o.node.Exchange.Compared(ctx, actor, party, entente.KeyID(there.Key))
}

func holds(ctx context.Context, o *Organisation, _ entente.Actor, l line) error {
	found, err := o.holds(ctx, strings.Join(l.args, " "))
	if err == nil && !found {
		err = refusal{fmt.Errorf("%s holds this nowhere", o.Name)}
	}
	return err
}

func ends(ctx context.Context, o *Organisation, actor entente.Actor, l line) error {
	more, err := l.words(1)
	if err != nil {
		return err
	}
	party, err := o.party(ctx, l.args[0])
	if err != nil {
		return err
	}
	return o.node.Exchange.End(ctx, actor, party, more["because"])
}

// passphrase opens the seats of stories.
const passphrase = "nineteen grey herons"

func movesOut(ctx context.Context, o *Organisation, actor entente.Actor, l line) error {
	if len(l.args) != 1 {
		return errUsage
	}
	return toFile(l.file(l.args[0]), func(out io.Writer) error { return o.node.Exchange.MoveOut(ctx, actor, passphrase, out) })
}

func movesIn(ctx context.Context, o *Organisation, actor entente.Actor, l line) error {
	return fromFile(l, func(in io.Reader) error { return o.node.Exchange.MoveIn(ctx, actor, passphrase, in) })
}

func stays(ctx context.Context, o *Organisation, actor entente.Actor, _ line) error {
	return o.node.Exchange.Stay(ctx, actor)
}

// regains gets back what was said to a partner and lost.
func regains(ctx context.Context, o *Organisation, actor entente.Actor, l line) error {
	if len(l.args) != 1 {
		return errUsage
	}
	party, err := o.party(ctx, l.args[0])
	if err != nil {
		return err
	}
	return o.node.Exchange.Regain(ctx, actor, party)
}

func toFile(name string, write func(io.Writer) error) error {
	out, err := os.Create(filepath.Clean(name))
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}

func fromFile(l line, read func(io.Reader) error) error {
	if len(l.args) != 1 {
		return errUsage
	}
	in, err := os.Open(l.file(l.args[0]))
	if err != nil {
		return err
	}
	return errors.Join(read(in), in.Close())
}
