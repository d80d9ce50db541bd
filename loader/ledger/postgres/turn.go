package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// A statement goes to the server with the types of its arguments, which follow from
// Go's, and its answer comes back in binary. So the server need not be asked about the
// statement before, and nothing of it stays in a session that a pooler hands to others.

// turn is statements that go to the server together. Their answers cost one round
// trip, however many there are.
type turn struct{ list []*statement }

// statement is one of a turn.
type statement struct {
	text     string
	args     []any
	read     func(pgx.Rows) error // nil: nobody reads its rows
	affected int64                // rows, once its answer is there
	tag      pgconn.CommandTag
}

// add puts a statement at the end of a turn.
func (t *turn) add(text string, args ...any) *statement {
	s := &statement{text: text, args: args}
	t.list = append(t.list, s)
	return s
}

// each scans every row of the answer into dest and calls do.
func (s *statement) each(do func() error, dest ...any) {
	s.read = func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, dest, do)
		return err
	}
}

// into scans the first row of the answer into dest. found may be nil.
func (s *statement) into(found *bool, dest ...any) {
	s.read = func(rows pgx.Rows) error {
		defer rows.Close()
		some := rows.Next()
		if found != nil {
			*found = some
		}
		if some {
			return rows.Scan(dest...)
		}
		return rows.Err()
	}
}

// inBinary asks for every column in binary.
var inBinary = []int16{pgx.BinaryFormatCode}

// take makes one turn, and leaves the list empty. Its error is that of the first
// statement that failed; those after it are not executed.
func (t *turn) take(ctx context.Context, conn *pgx.Conn) (err error) {
	list := t.list
	t.list = nil
	if len(list) == 0 {
		return nil
	}
	values, types := make([]pgx.ExtendedQueryBuilder, len(list)), make([][]uint32, len(list))
	for i, s := range list { // before anything leaves
		if types[i], err = encode(&values[i], conn.TypeMap(), s.text, s.args); err != nil {
			return err
		}
	}
	p := conn.PgConn().StartPipeline(ctx)
	defer func() {
		if cerr := p.Close(); err == nil {
			err = cerr
		}
	}()
	for i, s := range list {
		p.SendQueryParams(s.text, values[i].ParamValues, types[i], values[i].ParamFormats, inBinary)
	}
	if err := p.Sync(); err != nil {
		return err
	}
	for _, s := range list {
		answer, err := p.GetResults()
		if err != nil {
			return err
		}
		r, ok := answer.(*pgconn.ResultReader)
		if !ok {
			return fmt.Errorf("the database answers %T to a statement", answer)
		}
		if s.read == nil {
			s.tag, err = r.Close()
		} else {
			rows := pgx.RowsFromResultReader(conn.TypeMap(), r)
			err = s.read(rows)
			rows.Close()
			if s.tag = rows.CommandTag(); err == nil {
				err = rows.Err()
			}
		}
		if err != nil {
			return err
		}
		s.affected = s.tag.RowsAffected()
	}
	return nil
}

// ask sends one statement, whose rows come as they are read.
func ask(ctx context.Context, conn *pgx.Conn, text string, args ...any) (pgx.Rows, error) {
	var values pgx.ExtendedQueryBuilder
	types, err := encode(&values, conn.TypeMap(), text, args)
	if err != nil {
		return nil, err
	}
	return pgx.RowsFromResultReader(conn.TypeMap(), conn.PgConn().ExecParams(ctx, text, values.ParamValues, types, values.ParamFormats, inBinary)), nil
}

// encode makes the values of a statement's arguments, and returns their types.
func encode(values *pgx.ExtendedQueryBuilder, m *pgtype.Map, text string, args []any) ([]uint32, error) {
	s := pgconn.StatementDescription{SQL: text, ParamOIDs: make([]uint32, len(args))}
	for i, a := range args {
		oid := uint32(0)
		switch a.(type) {
		case int64:
			oid = pgtype.Int8OID
		case bool:
			oid = pgtype.BoolOID
		case string:
			oid = pgtype.TextOID
		case []byte:
			oid = pgtype.ByteaOID
		case []int64, []*int64:
			oid = pgtype.Int8ArrayOID
		case []bool:
			oid = pgtype.BoolArrayOID
		case []string:
			oid = pgtype.TextArrayOID
		case [][]byte:
			oid = pgtype.ByteaArrayOID
		default:
			return nil, fmt.Errorf("argument %d of %q is a %T", i+1, text, a)
		}
		s.ParamOIDs[i] = oid
	}
	return s.ParamOIDs, values.Build(m, &s, args)
}
