package jsonstream

// Fields reads an object as [Decoder.Object] does. Null is an empty one; any other
// value is skipped and noted.
func (d *Decoder) Fields(field func(key string) error) error {
	kind, err := d.Kind()
	if err != nil {
		return err
	}
	switch kind {
	case Object:
		return d.Object(field)
	case Null:
		return d.Skip()
	case End:
		return d.broken()
	}
	d.note(d.Path, "%s instead of an object; it was left out", kind)
	return d.Skip()
}

// Items reads a list as [Decoder.Array] does. Null is an empty one; any other value
// is taken as the only item and noted.
func (d *Decoder) Items(item func() error) error {
	kind, err := d.Kind()
	if err != nil {
		return err
	}
	switch kind {
	case Array:
		return d.Array(func(int) error { return item() })
	case Null:
		return d.Skip()
	case End:
		return d.broken()
	}
	d.note(d.Path, "%s instead of a list; it was read as its only item", kind)
	return item()
}

// Word reads a text. A number or true and false is taken as written and noted; of a
// list the first item is taken; an object is skipped and noted.
func (d *Decoder) Word() (string, error) {
	kind, err := d.Kind()
	if err != nil {
		return "", err
	}
	if kind != Array {
		s, kind, err := d.Text()
		if err != nil {
			return "", err
		}
		switch kind {
		case Number, True, False:
			d.note(d.Path, "%s instead of a text; it was read as written", kind)
		case Object:
			d.note(d.Path, "%s instead of a text; it was left out", kind)
		}
		return s, nil
	}
	d.note(d.Path, "%s instead of a text; its first item was read", kind)
	var first string
	err = d.Array(func(i int) error {
		if i > 0 {
			return d.Skip()
		}
		s, _, err := d.Text()
		first = s
		return err
	})
	return first, err
}

// Finish checks that nothing but white space follows the document. Something that
// does follow is noted and left unread.
func (d *Decoder) Finish() error {
	c, ok := d.peek()
	for ok && (c == 0 || c == 0x1A) {
		d.pos++ // padding that some tools leave behind
		c, ok = d.peek()
	}
	if ok {
		place := d.place()
		d.note(func() string { return place }, "more text after the end of the document; it was not read")
		return nil
	}
	if d.err != nil && d.broken() == d.err {
		return d.err
	}
	return nil
}
