package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// exchangeFileLimits bound a file of entries that somebody brings.
var exchangeFileLimits = limits{body: exchange.MaxFile + 1<<20, time: 30 * time.Minute}

func exchangeFileRoutes() []Route {
	const kind = identity.KindPartnership
	return []Route{
		page("/o/{org}/partners/{id}/file", identity.ExchangeShare, (*visit).entriesByFile).on(kind),
		page("/o/{org}/partners/{id}/entries.jsonl", identity.ExchangeShare, (*visit).writeEntries).on(kind).within(limits{body: pageLimits.body, time: exchangeFileLimits.time}),
		act("/o/{org}/partners/{id}/file", identity.ExchangeShare, (*visit).readEntries).on(kind).within(exchangeFileLimits),
	}
}

// entryFilePage is where entries are exchanged by file.
type entryFilePage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Name    string
	Waiting string
	File    string // where it is to be had
	Action  string
	Result  *entryFileResult
	Limit   string
}

// entryFileResult is what a file brought.
type entryFileResult struct {
	Defs []ui.Def
	Rows []ui.Row
	Left string
}

// entriesByFile is where partners without a link between their nodes exchange entries.
func (v *visit) entriesByFile() error { return v.showEntryFile(http.StatusOK, nil, ui.Notice{}) }

func (v *visit) showEntryFile(status int, result *entryFileResult, notice ui.Notice) error {
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	title := v.T("Exchange with %s by file", p.Name)
	at := v.in("partners", string(p.Party))
	return v.show(status, entryFileView(entryFilePage{
		Frame: v.frame(title), Notice: notice, Name: p.Name, File: at + "/entries.jsonl", Action: at + "/file", Result: result, Limit: v.reader().Bytes(exchange.MaxFile),
		Waiting: v.N(int(p.Out.Waiting()), "%d entry is not acknowledged by them yet.", "%d entries are not acknowledged by them yet."),
		Head:    ui.Head{Crumbs: v.partnerCrumbs(&p), Title: title, Lead: v.T("For partners whose nodes cannot reach each other. A file carries the same signed entries, and is checked in the same way.")},
	}))
}

// writeEntries gives what the partner has not acknowledged as a file.
func (v *visit) writeEntries() error {
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/jsonl")
	h.Set("Content-Disposition", `attachment; filename="entente-entries-for-`+entente.Slug(p.Name)+`-`+time.Now().UTC().Format("2006-01-02")+`.jsonl"`)
	return v.Exchange.ExportFile(v.r.Context(), v.actor, p.Party, &firstByte{v})
}

// firstByte is an answer that counts as begun with its first byte: until then, what
// goes wrong becomes an error page.
type firstByte struct{ v *visit }

// Write sends on.
func (f *firstByte) Write(p []byte) (int, error) {
	f.v.answer = http.StatusOK
	return f.v.w.Write(p)
}

// lineWords say what became of a line of a file.
var lineWords = map[exchange.LineResult]entente.Text{
	exchange.LineTaken: "taken", exchange.LineKnown: "known already", exchange.LineRefused: "refused", exchange.LinePassed: "of a later version, passed by",
}

// readEntries takes the entries of a file that came from a partner.
func (v *visit) readEntries() error {
	file, _, err := v.upload("entries")
	var done exchange.Imported
	if err == nil {
		defer file.Close()
		done, err = v.Exchange.ImportFile(v.r.Context(), v.actor, file)
	}
	var wrong *entente.Error
	switch {
	case err == nil:
	case asInvalid(err, &wrong) || errors.As(err, &wrong) && wrong.Kind == entente.KindNotFound && v.answer == 0:
		return v.showEntryFile(statusFor(wrong), nil, v.wrongNotice(wrong))
	default:
		return err
	}
	result := &entryFileResult{Defs: []ui.Def{
		{Term: v.T("From"), Text: done.Name}, {Term: v.T("New entries"), Text: v.reader().Count(done.Entries)}, {Term: v.T("Entries known already"), Text: v.reader().Count(done.Known)},
		{Term: v.T("Parts of files"), Text: v.reader().Count(done.Files)}, {Term: v.T("They acknowledge what you said up to"), Text: v.T("entry %d", int(done.Acked))},
	}}
	for _, l := range done.Lines {
		what := v.T("part of a file")
		switch {
		case l.Number > 0:
			what = v.T("entry %d: %s", int(l.Number), v.entryName(l.Kind))
		case l.Subject == "":
			what = v.T("nothing that can be read")
		}
		tone := map[exchange.LineResult]ui.Tone{exchange.LineTaken: ui.Good, exchange.LineRefused: ui.Bad}[l.Result]
		outcome := badgeCell(ui.Badge{Text: v.Say(word(lineWords, l.Result)), Tone: tone})
		outcome.Note = v.Say(l.Why)
		result.Rows = append(result.Rows, ui.Row{Cells: []ui.Cell{plainCell(strconv.Itoa(l.Line)), {Text: what, Note: l.Subject}, outcome}})
	}
	if done.Left > 0 {
		result.Left = v.N(done.Left, "%d more line is not shown.", "%d more lines are not shown.")
	}
	notice := ui.Notice{Tone: ui.Good, Text: v.T("The file was read to its end.")}
	if done.Refused != "" {
		notice = ui.Notice{Tone: ui.Bad, Text: v.T("Not everything in the file was taken. What was taken stays; the first that was not: %s", done.Refused)}
	}
	return v.showEntryFile(http.StatusOK, result, notice)
}

// entryLineColumns are those of what became of each line.
var entryLineColumns = []ui.Column{{Label: "Line", Num: true}, {Label: "What"}, {Label: "Result", Wide: true}}
