package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/node"
)

type verifyCommand struct{ nodeFlags }

// Run recomputes the hash chain of every journal of the node, or of one.
func (v *verifyCommand) Run(ctx context.Context, c *console) error {
	n, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	orgs, err := n.organisations(ctx, v.Organisation)
	if err != nil {
		return err
	}
	bad := false
	for _, org := range orgs {
		report, err := journal.Verify(ctx, n.DB, org)
		var broken *journal.BrokenError
		switch {
		case errors.As(err, &broken):
			bad = true
			fmt.Fprintf(c.out, "%s: BROKEN at event %d: %s\n", org, broken.Seq, broken.Reason)
		case err != nil:
			return err
		default:
			fmt.Fprintf(c.out, "%s: %s, unbroken, head %s\n", org, plural(int(report.Events), "event", "events"), hex.EncodeToString(report.Hash))
		}
	}
	if bad {
		return errHit
	}
	return nil
}

// organisations gives the named organisation, or all.
func (n *rooms) organisations(ctx context.Context, name string) ([]entente.OrgID, error) {
	if name != "" {
		org, err := n.organisation(ctx, name)
		return []entente.OrgID{org}, err
	}
	list, err := n.Identity.Organisations(ctx)
	orgs := make([]entente.OrgID, len(list))
	for i, o := range list {
		orgs[i] = o.ID
	}
	return orgs, err
}

type doctorCommand struct{ nodeFlags }

// Run looks over a node and says what it finds; something to look after gives exit
// code 1.
func (d *doctorCommand) Run(ctx context.Context, c *console) error {
	n, err := d.open(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	worry := false
	say := func(well bool, format string, args ...any) {
		mark := "ok    "
		if !well {
			mark, worry = "LOOK  ", true
		}
		fmt.Fprintf(c.out, mark+format+"\n", args...)
	}
	say(true, "program %s", version())
	say(true, "database %s (%s), schema up to date", n.DB.Name(), n.DB.Engine())
	if d.Data != "" {
		err := node.Usable(d.Data)
		say(err == nil, "folder %s can be written%s", d.Data, because(err))
	}
	orgs, err := n.organisations(ctx, d.Organisation)
	if err != nil {
		return err
	}
	say(len(orgs) > 0, "%s", plural(len(orgs), "organisation", "organisations"))
	for _, org := range orgs {
		if err := n.doctor(ctx, org, say); err != nil {
			return err
		}
	}
	if worry {
		return errHit
	}
	return nil
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": no, " + err.Error()
}

// doctor looks over the journal and what follows it in one organisation.
func (n *rooms) doctor(ctx context.Context, org entente.OrgID, say func(bool, string, ...any)) error {
	return n.DB.Read(ctx, func(tx *db.Tx) error {
		head, err := journal.Head(ctx, tx, org)
		if err != nil {
			return err
		}
		consumers, err := journal.Consumers(ctx, tx, org)
		if err != nil {
			return err
		}
		dead, err := journal.Jobs(ctx, tx, org, journal.JobDead, 20)
		if err != nil {
			return err
		}
		say(true, "%s: %s in the journal", org, plural(int(head), "event", "events"))
		for _, k := range consumers {
			switch {
			case k.Failures > 0:
				say(false, "%s: %s failed %s, next try %s: %s", org, k.Consumer, plural(k.Failures, "time", "times"), k.RetryAt.Format("15:04:05"), k.Error)
			case k.Behind > 0:
				say(true, "%s: %s has %s before it", org, k.Consumer, plural(int(k.Behind), "event", "events"))
			}
		}
		for _, job := range dead {
			say(false, "%s: the job %s (%d) was given up: %s", org, job.Kind, job.ID, job.Error)
		}
		return nil
	})
}
