//! The tables, format by format.
//!
//! A new file goes through the same steps as one that an earlier release wrote, so that both are alike.

/// The format that this release writes. A file with a later one is refused, and one with an earlier one is brought here.
pub(super) const FORMAT: i64 = 3;

/// What leads from each format to the next; the first makes the tables of an empty file.
pub(super) const STEPS: [&str; 3] = [TO_1, TO_2, TO_3];

/// A change is numbered once and for all (`AUTOINCREMENT`). A revision is found by its row, and never by an app that it does
/// not belong to. The number of apps is kept, because counting reads them all.
const TO_1: &str = "
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at_us INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        idempotency_key TEXT,
        request BLOB NOT NULL,
        what TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX changes_by_key ON changes (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE TABLE revisions (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        app TEXT NOT NULL,
        digest BLOB NOT NULL,
        at_us INTEGER NOT NULL,
        created_by INTEGER NOT NULL,
        written BLOB NOT NULL,
        UNIQUE (tenant, app, digest)
    ) STRICT;
    CREATE TABLE apps (
        tenant TEXT NOT NULL,
        app TEXT NOT NULL,
        generation INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        PRIMARY KEY (tenant, app)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE hosts (
        host TEXT PRIMARY KEY,
        tenant TEXT NOT NULL,
        app TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX hosts_by_app ON hosts (tenant, app);
    CREATE TABLE totals (only INTEGER PRIMARY KEY CHECK (only = 1), apps INTEGER NOT NULL) STRICT;
    INSERT INTO totals VALUES (1, 0);
    CREATE TRIGGER app_added AFTER INSERT ON apps BEGIN UPDATE totals SET apps = apps + 1; END;
    CREATE TRIGGER app_removed AFTER DELETE ON apps BEGIN UPDATE totals SET apps = apps - 1; END;
";

/// `made_by` is empty where nobody is known. `apps.traffic` is there only where more than one revision is led to, so that
/// the common case stays one row; `apps.previous` is what answered before the last change that altered it. A revision
/// brings its hosts along, from which those of the app follow. It is ready once a deploy of it came to its end. What an earlier release kept is numbered in the order in
/// which it was deployed, and gets its hosts from the log.
const TO_2: &str = "
    ALTER TABLE changes ADD COLUMN made_by TEXT NOT NULL DEFAULT '';

    ALTER TABLE apps ADD COLUMN traffic TEXT;
    ALTER TABLE apps ADD COLUMN previous TEXT;
    UPDATE apps SET previous = (
        SELECT json_object('arms', json_array(
            json_object('revision', 'sha256:' || lower(hex(r.digest)), 'percent', 100)
        ))
        FROM revisions r
        WHERE r.tenant = apps.tenant AND r.app = apps.app AND r.id <> apps.revision AND length(r.digest) = 32
        ORDER BY r.created_by DESC LIMIT 1
    );

    ALTER TABLE revisions ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE revisions ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
    ALTER TABLE revisions ADD COLUMN note TEXT;
    ALTER TABLE revisions ADD COLUMN hosts TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE revisions ADD COLUMN is_ready INTEGER NOT NULL DEFAULT 0;
    UPDATE revisions SET
        is_ready = 1,
        number = (
            SELECT count(*) FROM revisions r
            WHERE r.tenant = revisions.tenant AND r.app = revisions.app
            AND (r.created_by, r.id) <= (revisions.created_by, revisions.id)
        ),
        hosts = coalesce((
            SELECT json_extract(c.what, '$.deploy.hosts') FROM changes c
            WHERE c.number = revisions.created_by AND json_valid(c.what)
        ), '[]');
    UPDATE revisions SET hosts = (
        SELECT json_group_array(h.host) FROM hosts h WHERE h.tenant = revisions.tenant AND h.app = revisions.app
    ) WHERE id IN (SELECT revision FROM apps);
    ALTER TABLE revisions DROP COLUMN created_by;
    CREATE UNIQUE INDEX revisions_by_number ON revisions (tenant, app, number);

    CREATE TABLE deploys (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        tenant TEXT NOT NULL,
        app TEXT NOT NULL,
        revision BLOB NOT NULL,
        number INTEGER NOT NULL,
        made_by TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        phase TEXT NOT NULL,
        phases TEXT NOT NULL,
        failure TEXT,
        share INTEGER,
        expected INTEGER,
        generation INTEGER,
        idempotency_key TEXT,
        request BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX deploys_by_key ON deploys (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX deploys_by_app ON deploys (tenant, app, seq);
    CREATE INDEX deploys_ended ON deploys (tenant, seq) WHERE phase IN ('live', 'failed');
    CREATE INDEX deploys_open ON deploys (tenant, seq) WHERE phase NOT IN ('live', 'failed');

    CREATE TABLE tenants (
        tenant TEXT PRIMARY KEY,
        generation INTEGER NOT NULL,
        at_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tenant_hosts (host TEXT PRIMARY KEY, tenant TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX tenant_hosts_by_tenant ON tenant_hosts (tenant);

    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL,
        name TEXT NOT NULL,
        tenant TEXT NOT NULL,
        scope TEXT NOT NULL,
        expires_us INTEGER,
        made_by TEXT NOT NULL,
        at_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tokens_by_tenant ON tokens (tenant, id);

    CREATE TABLE blobs (
        tenant TEXT NOT NULL,
        digest BLOB NOT NULL,
        bytes INTEGER NOT NULL,
        at_us INTEGER NOT NULL,
        PRIMARY KEY (tenant, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE blob_totals (tenant TEXT PRIMARY KEY, blobs INTEGER NOT NULL, bytes INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE TRIGGER blob_added AFTER INSERT ON blobs BEGIN
        INSERT INTO blob_totals VALUES (new.tenant, 1, new.bytes)
            ON CONFLICT DO UPDATE SET blobs = blobs + 1, bytes = bytes + new.bytes;
    END;
    CREATE TRIGGER blob_removed AFTER DELETE ON blobs BEGIN
        UPDATE blob_totals SET blobs = blobs - 1, bytes = bytes - old.bytes WHERE tenant = old.tenant;
    END;

    CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at_us INTEGER NOT NULL,
        who TEXT NOT NULL,
        is_anonymous INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_by_kind ON audit (is_anonymous, number);
    CREATE INDEX audit_by_tenant ON audit (tenant, number);
";

/// How the trial of a revision stands; nothing where it has no bounds, or was never live.
const TO_3: &str = "
    ALTER TABLE revisions ADD COLUMN trial TEXT;
";
