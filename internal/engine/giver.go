package engine

// give gives the rows of all tables out.
func (c *crew) give(to Sink) error {
	g := giver{crew: c, to: to}
	if rows, ok := to.(RowSink); ok {
		g.rows, g.batches = rows, newBatches(rows.Batches(), len(c.workers))
	}
	for {
		next, none, ended := c.look()
		if none && g.batches == nil {
			if ended {
				return nil
			}
			if err := to.Flush(); err != nil {
				return err
			}
		}
		if b := g.batches; b != nil {
			if ended {
				if b.end(c.encode); len(b.waiting) == 0 {
					return nil
				}
			}
			if len(b.waiting) > 0 && c.isSet(&b.waiting[0].done) {
				if err := b.write(g.unused); err != nil {
					return err
				}
				continue
			}
		}
		if next != nil && (g.batches == nil || !g.batches.isFull()) {
			if err := g.emit(next); err != nil {
				return err
			}
			continue
		}
		<-c.done
	}
}

// look returns the block that comes next if it is merged; and if none waits, and none
// will come.
func (c *crew) look() (next *block, none, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return nil, true, c.order.ended()
	}
	if b := c.waiting[0]; b.merged {
		next = b
	}
	return next, false, false
}

// A giver is the caller's goroutine at work.
type giver struct {
	*crew
	to      Sink
	rows    RowSink   // to, if that takes rows
	batches *batches  // of them; nil for none
	kept    []*block  // used by batches once, to be used again
	back    []*bundle // that nobody uses, to be given back
}

// cut has blocks of the rows that come next merged; the lock is held.
func (c *crew) cut() {
	for len(c.spare) > 0 && c.order.next(c.spare[len(c.spare)-1], c.put) {
		b := c.spare[len(c.spare)-1]
		c.spare = c.spare[:len(c.spare)-1]
		c.waiting, c.toMerge = append(c.waiting, b), append(c.toMerge, b)
		c.wakeOne()
	}
	c.noteUrgent()
	if len(c.waiting) == 0 && c.order.ended() {
		c.tell()
	}
}

// emit gives the first block that waits out.
func (g *giver) emit(b *block) error {
	g.flows.Add(int64(b.rows))
	spare := b
	switch {
	case g.batches != nil:
		if g.batches.add(b, g.encode) {
			spare = &block{} // in its place
			if n := len(g.kept); n > 0 {
				spare, g.kept = g.kept[n-1], g.kept[:n-1]
			}
		}
	case len(b.flows) == 0:
		if err := g.rows.Rows(b.bytes); err != nil {
			return err
		}
	default:
		for _, f := range b.flows {
			if err := g.to.Flow(f); err != nil {
				return err
			}
		}
	}
	if len(b.flows) > 0 {
		g.back = appendUnused(g.back, b)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.putAll(g.back)
	g.back = g.back[:0]
	g.waiting = g.waiting[:copy(g.waiting, g.waiting[1:])]
	g.spare = append(g.spare, spare)
	g.cut()
	return nil
}

// unused takes back a block that batches kept.
func (g *giver) unused(b *block) { g.kept = append(g.kept, b) }

// encode has a batch encoded.
func (c *crew) encode(b *batch) {
	c.mu.Lock()
	c.toEncode = append(c.toEncode, b)
	c.noteUrgent()
	c.wakeOne()
	c.mu.Unlock()
}

// isSet reads what a worker sets with the lock held.
func (c *crew) isSet(done *bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *done
}

// appendUnused ends the uses of bundles by a block, and appends those that nobody else
// uses. Their owners get them back by putAll.
func appendUnused(unused []*bundle, b *block) []*bundle {
	for _, s := range b.lists {
		if s.uses.Add(-1) == 0 {
			unused = append(unused, s.bundle)
		}
	}
	return unused
}

// putAll gives bundles back that nobody uses; the lock is held.
func (c *crew) putAll(unused []*bundle) {
	for _, k := range unused {
		c.put(k)
	}
}

// put gives a bundle back to its owner; the lock is held. A worker that waits for
// its bundles is woken when half of them can be filled, and not for each: more than the
// others are never with the order, which then knows what is next.
func (c *crew) put(k *bundle) {
	w := k.owner
	w.free = append(w.free, k)
	if w.waits && w.toFill && len(w.free) >= bundlesInFlight/2 {
		w.wake()
	}
}
