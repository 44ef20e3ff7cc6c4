-- The ledger as revision 0001 made it on PostgreSQL. Frozen: released schemas are never edited.
CREATE FUNCTION public.auditor_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$;
CREATE TABLE public.attempt (
    seq bigint NOT NULL,
    run bigint NOT NULL,
    shape bigint,
    tool text NOT NULL,
    port integer NOT NULL,
    transport text NOT NULL,
    vlan integer,
    outcome text NOT NULL,
    origin text NOT NULL,
    started text NOT NULL,
    elapsed_s double precision NOT NULL,
    ip text,
    mac text,
    detail text NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.auditor_schema (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.closing (
    n bigint NOT NULL,
    run bigint NOT NULL,
    status text NOT NULL,
    ended text,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.decision (
    n bigint NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    at text NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.imported (
    n bigint NOT NULL,
    site text NOT NULL,
    sha256 text NOT NULL,
    run bigint NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.journal (
    n bigint NOT NULL,
    run bigint NOT NULL,
    moment text NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.link (
    seq bigint NOT NULL,
    kind text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    nth bigint NOT NULL,
    rows bigint NOT NULL,
    run bigint,
    hash bytea NOT NULL
);
CREATE TABLE public.opinion (
    version text NOT NULL,
    device text NOT NULL,
    facts text NOT NULL,
    doc text NOT NULL
);
CREATE TABLE public.raw (
    sha256 text NOT NULL,
    data bytea NOT NULL
);
CREATE TABLE public.run (
    n bigint NOT NULL,
    id text NOT NULL,
    site text NOT NULL,
    kind text NOT NULL,
    started text NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.shape (
    n bigint NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.signature (
    n bigint NOT NULL,
    snapshot text NOT NULL,
    at text NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE public.snapshot (
    n bigint NOT NULL,
    id text NOT NULL,
    made text NOT NULL,
    doc text NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO public.auditor_schema VALUES ('0001');
ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.auditor_schema
    ADD CONSTRAINT auditor_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.closing
    ADD CONSTRAINT closing_pkey PRIMARY KEY (n);
ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_id UNIQUE (id);
ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (n);
ALTER TABLE ONLY public.imported
    ADD CONSTRAINT imported_once UNIQUE (site, sha256, run);
ALTER TABLE ONLY public.imported
    ADD CONSTRAINT imported_pkey PRIMARY KEY (n);
ALTER TABLE ONLY public.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (n);
ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.opinion
    ADD CONSTRAINT opinion_pkey PRIMARY KEY (version, device);
ALTER TABLE ONLY public.raw
    ADD CONSTRAINT raw_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_id UNIQUE (id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (n);
ALTER TABLE ONLY public.shape
    ADD CONSTRAINT shape_pkey PRIMARY KEY (n);
ALTER TABLE ONLY public.signature
    ADD CONSTRAINT signature_pkey PRIMARY KEY (n);
ALTER TABLE ONLY public.snapshot
    ADD CONSTRAINT snapshot_id UNIQUE (id);
ALTER TABLE ONLY public.snapshot
    ADD CONSTRAINT snapshot_pkey PRIMARY KEY (n);
CREATE INDEX attempt_ip ON public.attempt USING btree (ip);
CREATE INDEX attempt_mac ON public.attempt USING btree (mac);
CREATE INDEX closing_run ON public.closing USING btree (run);
CREATE INDEX journal_run ON public.journal USING btree (run);
CREATE INDEX link_hash ON public.link USING btree (hash);
CREATE INDEX link_run ON public.link USING btree (run, nth);
CREATE INDEX run_site ON public.run USING btree (site);
CREATE INDEX signature_snapshot ON public.signature USING btree (snapshot);
CREATE TRIGGER attempt_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.attempt FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER closing_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.closing FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER decision_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.decision FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER imported_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.imported FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER journal_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.journal FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER link_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.link FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER raw_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.raw FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER run_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.run FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER shape_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.shape FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER signature_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.signature FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
CREATE TRIGGER snapshot_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.snapshot FOR EACH STATEMENT EXECUTE FUNCTION public.auditor_append_only();
ALTER TABLE ONLY public.closing
    ADD CONSTRAINT closing_run_fkey FOREIGN KEY (run) REFERENCES public.run(n);
ALTER TABLE ONLY public.imported
    ADD CONSTRAINT imported_run_fkey FOREIGN KEY (run) REFERENCES public.run(n);
ALTER TABLE ONLY public.journal
    ADD CONSTRAINT journal_run_fkey FOREIGN KEY (run) REFERENCES public.run(n);
