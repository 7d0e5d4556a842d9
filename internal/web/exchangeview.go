package web

import (
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/ui"
)

type partnersPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	List   ui.List
}

type partnerPage struct {
	Frame      ui.Page
	Head       ui.Head
	Notice     ui.Notice
	At         string // the address of the partnership, below which its acts are
	Name       string
	Active     bool
	Welcome    bool   // somebody has just taken a seat
	Quarantine string // the page that explains it; "" where all is well
	Proposal   string // that a change of the agreement waits; "" where none does
	Defs       []ui.Def
	Contacts   []ui.Contact
	Said       []ui.Row // what the partner said last
	AllSaid    string   // where all of it stands
	Ours       []string // the words of our key; none for guests
	Theirs     []string
	Key        string // the name of the key whose words those are
	Compared   time.Time
	ComparedBy string
	Terms      []term
	Feeds      []ui.Row
	FeedErrors []string
	Known      suggested
	Manage     bool
	Ask        bool
	File       string // where entries are exchanged by file
	Ledger     string // the ledger of what went to them; "" for those who may not see it
}

type endPage struct {
	Frame  ui.Page
	Head   ui.Head
	Name   string
	Action string
	Back   string
}

type quarantinePage struct {
	Frame       ui.Page
	Head        ui.Head
	Name        string
	Quarantined bool
	Theirs      bool // what they say contradicts itself
	Ours        bool // they hold something else of us than we do
	Cases       []contradictionView
	Contacts    []ui.Contact
	Release     string // where the form leads that lifts it; "" for those who may not
	Regain      string // where the form leads that gets back what we said; "" for those who may not
	RegainAll   string // the same for all partners, where there are several
	All         int    // how many
	Key         string // where our key is changed
}

type contradictionView struct {
	Words  string
	At     time.Time
	First  entente.Text // the heads of the two sides
	Second entente.Text
	Rows   []ui.Row
}

type agreementPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	At       string
	Name     string
	Terms    []term
	Labels   []ui.Def
	Proposal *proposalView
	Versions []ui.Row
}

// proposalView is a change that waits for an answer.
type proposalView struct {
	Ours   bool
	At     time.Time
	Rows   []ui.Row
	Hash   string
	Answer bool // the visitor may answer it
}

// termsForm is the fields of terms.
type termsForm struct {
	Kinds     []kindFields
	Questions bool
	Onward    bool
	Numbers   []ui.Field
	Rules     ui.Field
	Until     ui.Field
}

type kindFields struct {
	Name    string
	Choices []ui.Choice
}

type contactForm struct {
	Title  string
	Fields []ui.Field
}

type proposePage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Fields termsForm
	Labels []ui.Def
	Action string
	Back   string
}

type invitePage struct {
	Frame        ui.Page
	Head         ui.Head
	Notice       ui.Notice
	Name         string
	Trade        ui.Choice
	Organisation suggested
	Start        string     // where the first step leads
	Terms        *termsForm // of the second step; nil at the first
	Summary      string
	Contact      contactForm
	Carried      []ui.Option
	Labels       []ui.Def
	Action       string
	Back         string
}

type invitedPage struct {
	Frame ui.Page
	Head  ui.Head
	Name  string
	Link  string
	Code  qrView
	File  string
	Until time.Time
	Next  string
}

type acceptPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Text   string
	Action string
}

type offeredPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Name    string
	Words   []string
	Defs    []ui.Def
	Terms   []term
	Labels  []ui.Def
	Until   time.Time
	Known   suggested
	Contact contactForm
	Carried []ui.Option
	Action  string
}

type joinPage struct {
	seatForm
	Inviter  string
	Trade    string
	Link     string
	File     string
	Until    time.Time
	Words    []string
	Terms    []term
	Labels   []ui.Def
	Action   string
	SignIn   string
	Person   string    // who is signed in; "" for nobody
	Own      []ui.Link // organisations of theirs for which they may accept
	Shortest int
}

type keyPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Words   []string
	Defs    []ui.Def
	History []ui.Row
	Action  string // "" for those who may not change it
	Told    string
	NoKey   string // why there is none, and what to do
}
