package catalog

// Partnership is a partnership of the demonstration, as who invited makes it.
type Partnership struct {
	Inviter, Invitee string
	// Buys and Supplies say what the inviter does in it.
	Buys, Supplies bool
}

// Partnerships lists who are partners in the demonstration. Those with a seat on the
// node of another became partners of that one first.
func Partnerships() []Partnership {
	return []Partnership{
		{Inviter: "nordhost", Invitee: "casa-verde", Supplies: true},
		{Inviter: "nordhost", Invitee: "aroma-lab", Supplies: true},
		{Inviter: "nordhost", Invitee: "rosthof", Supplies: true},
		{Inviter: "beanline", Invitee: "rosthof", Buys: true},
		{Inviter: "beanline", Invitee: "casa-verde", Buys: true},
		{Inviter: "beanline", Invitee: "aroma-lab", Buys: true},
	}
}

// Compared lists which partners have compared the words of their keys: the first has
// those of the second.
func Compared() [][2]string {
	return [][2]string{{"beanline", "rosthof"}, {"rosthof", "beanline"}, {"beanline", "aroma-lab"}}
}

// Statement is something that one organisation of the demonstration tells others.
type Statement struct {
	From string
	By   string   // the mail address of the person
	To   []string // organisations; none: all partners who may have it
	Kind string   // as docs/protocol.md has them
	// Subject names what it is about; "" is the statement itself.
	Subject, Title string
	Label          string
	Body           string // a file in Files, or the text itself
	Blob           string // a file in Files
	Basis          string
	// Recalled says why it was taken back; "": it stands.
	Recalled string
}

// Telling is what one organisation of the demonstration tells another of its suppliers.
type Telling struct {
	From, By, To string
	Overall      string            // how much is told of all of whom nothing else is said
	Suppliers    map[string]string // of single ones: count, blind or name
}

// Tellings lists them. What is told follows from the chain of who tells it.
func Tellings() []Telling {
	return []Telling{{
		From: "rosthof", By: "oncall@rosthof.example", To: "beanline", Overall: "count",
		Suppliers: map[string]string{"kaffeehafen": "name", "nordhost": "name", "zahlwerk": "blind"},
	}}
}

// Statements lists what is said in the demonstration, in order.
func Statements() []Statement {
	return []Statement{
		{
			From: "aroma-lab", By: "office@aromalab.example", To: []string{"beanline"}, Kind: "sbom", Title: "Aroma LIMS 2.2.0", Label: "TLP:AMBER",
			Body: `{"product":"Aroma LIMS","version":"2.2.0"}`, Blob: "said/aroma-lims-2.2.cdx.json", Basis: "Quality agreement, annex 3",
		},
		{
			From: "rosthof", By: "oncall@rosthof.example", To: []string{"beanline"}, Kind: "advisory", Subject: "advisory/ROSTHOF-2026-00", Title: "Price lists of the order portal", Label: "TLP:AMBER",
			Body:     `{"schema_version":"1.6.0","id":"ROSTHOF-2026-00","modified":"2026-02-01T17:00:00Z","summary":"Price lists of the order portal can be read by anyone","affected":[{"package":{"ecosystem":"Maven","name":"example.ladewerk:order-portal"},"versions":["5.4.1"]}]}`,
			Recalled: "It was a test page without real prices",
		},
		{
			From: "rosthof", By: "oncall@rosthof.example", To: []string{"beanline"}, Kind: "advisory", Subject: "advisory/ROSTHOF-2026-01", Title: "Order confirmations are open to whoever knows a number", Label: "TLP:AMBER",
			Body: "said/rosthof-2026-01.json", Basis: "Supply contract, duty to warn",
		},
		{
			From: "casa-verde", By: "trade@casaverde.example", To: []string{"beanline"}, Kind: "threat", Title: "Invoices with a changed bank account", Label: "TLP:GREEN",
			Body: `{"type":"indicator","spec_version":"2.1","id":"indicator--5b1a7c2e-6d0f-4a55-9a64-2f8f6f0c7d11","created":"2026-03-10T09:00:00.000Z","modified":"2026-03-10T09:00:00.000Z","name":"Invoices with a changed bank account","description":"Mail in our name asks buyers to pay to a new account. It comes from a name that looks like ours. We have not changed our account; call us before you pay.","indicator_types":["malicious-activity"],"pattern_type":"stix","pattern":"[domain-name:value = 'casa-verde-beans.example']","valid_from":"2026-03-10T09:00:00Z"}`,
		},
		{
			From: "nordhost", By: "noc@nordhost.example", Kind: "practice", Title: "Try your restore before you need it", Label: "TLP:GREEN",
			Body: `{"title":"Try your restore before you need it","text":"Once a quarter we restore one customer's machines into an empty hall and time it. Twice it took longer than the contract said."}`,
		},
		{
			From: "beanline", By: "lead@beanline.example", To: []string{"rosthof"}, Kind: "concern", Title: "Your portal rests on one cloud", Label: "TLP:AMBER+STRICT",
			Body: `{"title":"Your portal rests on one cloud","text":"If Nordhost is down, so is your order portal, and after a day we cannot order. Is there a second place?"}`,
		},
	}
}
