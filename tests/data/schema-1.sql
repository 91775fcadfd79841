CREATE SCHEMA schema_1_as_released;

CREATE TABLE schema_1_as_released.experiment_labels (
    id text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    term bigint NOT NULL
);

CREATE TABLE schema_1_as_released.experiments (
    id text NOT NULL COLLATE pg_catalog."C",
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    labels text NOT NULL COLLATE pg_catalog."C",
    storage_state text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    last_run_created_at bigint NOT NULL,
    etag text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE schema_1_as_released.job_labels (
    id text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    term bigint NOT NULL
);

CREATE TABLE schema_1_as_released.jobs (
    id text NOT NULL COLLATE pg_catalog."C",
    experiment_id text NOT NULL COLLATE pg_catalog."C",
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    labels text NOT NULL COLLATE pg_catalog."C",
    enabled bigint NOT NULL,
    schedule text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    etag text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE schema_1_as_released.run_labels (
    id text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    term bigint NOT NULL
);

CREATE TABLE schema_1_as_released.runs (
    id text NOT NULL COLLATE pg_catalog."C",
    experiment_id text NOT NULL COLLATE pg_catalog."C",
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    labels text NOT NULL COLLATE pg_catalog."C",
    storage_state text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    started_at bigint NOT NULL,
    finished_at bigint NOT NULL,
    job_id text NOT NULL COLLATE pg_catalog."C",
    etag text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE schema_1_as_released.settings (
    id text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);

INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0003', 'k', 'é', 0, -4415164411298941004);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0003', 'é', '', 0, 2384263061407044517);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0009', 'k', '‮desrever', 1767225605000001, -4318269800057916961);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0009', '‮desrever', '', 1767225605000001, 4827449056782680655);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0015', 'k', 'line
break	tab', 1767225611000001, 7722564755026989329);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0015', 'line
break	tab', '', 1767225611000001, 4367109352681860007);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0021', 'k', '􏿿￾', 1767225617000001, -4943354503445870462);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('id-0021', '􏿿￾', '', 1767225617000001, 9168113082604375533);
INSERT INTO schema_1_as_released.experiment_labels VALUES ('!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', 'k', 'v', 1767225623000001, -6054839621609294355);

INSERT INTO schema_1_as_released.experiments VALUES ('id-0000', '', 'é', 'the é', '{}', 'AVAILABLE', -62135596800000000, 253402300799999999, 253402300799999999, 'etag-0002');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0006', 'λ', '😀‍💻', 'the 😀‍💻', '{}', 'AVAILABLE', 1767225602000001, 1767225603000001, 1767225603000001, 'etag-0010');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0009', '', '‮desrever', '‮desrever‮desrever‮desrever', '{"k":"‮desrever","‮desrever":""}', 'AVAILABLE', 1767225605000001, 1767225606000001, 1767225606000001, 'etag-0014');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0012', 'vision', 'it''s "quoted" \ and $1 %s ? :x -- ; /*', 'the it''s "quoted" \ and $1 %s ? :x -- ; /*', '{}', 'AVAILABLE', 1767225608000001, 1767225609000001, 1767225609000001, 'etag-0018');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0015', 'λ', 'line
break	tab', 'line
break	tabline
break	tabline
break	tab', '{"k":"line\r\nbreak\ttab\u0001","line\r\nbreak\ttab\u0001":""}', 'AVAILABLE', 1767225611000001, 1767225612000001, 1767225612000001, 'etag-0022');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0018', '', ' blank at both ends ', 'the  blank at both ends ', '{}', 'AVAILABLE', 1767225614000001, 1767225615000001, 1767225615000001, 'etag-0026');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0021', 'vision', '􏿿￾', '􏿿￾􏿿￾􏿿￾', '{"k":"􏿿￾","􏿿￾":""}', 'AVAILABLE', 1767225617000001, 1767225618000001, 1767225618000001, 'etag-0030');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0024', 'λ', '%_*[a-z]\N', 'the %_*[a-z]\N', '{}', 'AVAILABLE', 1767225620000001, 1767225621000001, 1767225621000001, 'etag-0034');
INSERT INTO schema_1_as_released.experiments VALUES ('id-0003', 'vision', 'é', 'ééé', '{"k":"é","é":""}', 'ARCHIVED', 0, 1767225629000001, 1767225600000001, 'etag-0046');
INSERT INTO schema_1_as_released.experiments VALUES ('!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn', 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '{"k":"v"}', 'AVAILABLE', 1767225623000001, 1767225632000001, 1767225628000001, 'etag-0048');

INSERT INTO schema_1_as_released.job_labels VALUES ('id-0027', 'a', 'b', 1767225624000001, 7532638342955927414);

INSERT INTO schema_1_as_released.jobs VALUES ('id-0002', 'id-0000', '', 'é', '', '{}', 1, '0 0 * * * é', -1, -1, 'etag-0003');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0008', 'id-0006', 'λ', '😀‍💻', '', '{}', 1, '0 2 * * * 😀‍💻', 1767225604000001, 1767225604000001, 'etag-0011');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0011', 'id-0009', '', '‮desrever', '', '{}', 1, '0 3 * * * ‮desrever', 1767225607000001, 1767225607000001, 'etag-0015');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0014', 'id-0012', 'vision', 'it''s "quoted" \ and $1 %s ? :x -- ; /*', '', '{}', 1, '0 4 * * * it''s "quoted" \ and $1 %s ? :x -- ; /*', 1767225610000001, 1767225610000001, 'etag-0019');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0017', 'id-0015', 'λ', 'line
break	tab', '', '{}', 1, '0 5 * * * line
break	tab', 1767225613000001, 1767225613000001, 'etag-0023');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0020', 'id-0018', '', ' blank at both ends ', '', '{}', 1, '0 6 * * *  blank at both ends ', 1767225616000001, 1767225616000001, 'etag-0027');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0023', 'id-0021', 'vision', '􏿿￾', '', '{}', 1, '0 7 * * * 􏿿￾', 1767225619000001, 1767225619000001, 'etag-0031');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0026', 'id-0024', 'λ', '%_*[a-z]\N', '', '{}', 1, '0 8 * * * %_*[a-z]\N', 1767225622000001, 1767225622000001, 'etag-0035');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0027', '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', 'makes runs', '', '{"a":"b"}', 0, '', 1767225624000001, 1767225624000001, 'etag-0037');
INSERT INTO schema_1_as_released.jobs VALUES ('id-0005', 'id-0003', 'vision', 'é', '', '{}', 0, '0 1 * * * é', 1767225601000001, 1767225629000001, 'etag-0046');

INSERT INTO schema_1_as_released.run_labels VALUES ('id-0001', 'seed', 'é', 253402300799999999, 3375415437275247557);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0004', 'seed', 'é', 1767225600000001, 7912495895016670426);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0007', 'seed', '😀‍💻', 1767225603000001, 1589646180798454552);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0010', 'seed', '‮desrever', 1767225606000001, 3463424279070362513);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0013', 'seed', 'it''s "quoted" \ and $1 %s ? :x -- ; /*', 1767225609000001, 6995365409852962442);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0016', 'seed', 'line
break	tab', 1767225612000001, 5827057455196479717);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0019', 'seed', ' blank at both ends ', 1767225615000001, -7562122943331863114);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0022', 'seed', '􏿿￾', 1767225618000001, -4374052688720235991);
INSERT INTO schema_1_as_released.run_labels VALUES ('id-0025', 'seed', '%_*[a-z]\N', 1767225621000001, 9027685843439266287);

INSERT INTO schema_1_as_released.runs VALUES ('id-0001', 'id-0000', '', 'é', '', '{"seed":"é"}', 'AVAILABLE', 'PENDING', 253402300799999999, 253402300799999999, -62135596800000000, -9223372036854775808, '', 'etag-0001');
INSERT INTO schema_1_as_released.runs VALUES ('id-0007', 'id-0006', 'λ', '😀‍💻', '', '{"seed":"😀‍💻"}', 'AVAILABLE', 'PENDING', 1767225603000001, 1767225603000001, -1, -9223372036854775808, '', 'etag-0009');
INSERT INTO schema_1_as_released.runs VALUES ('id-0010', 'id-0009', '', '‮desrever', '', '{"seed":"‮desrever"}', 'AVAILABLE', 'PENDING', 1767225606000001, 1767225606000001, 0, -9223372036854775808, '', 'etag-0013');
INSERT INTO schema_1_as_released.runs VALUES ('id-0013', 'id-0012', 'vision', 'it''s "quoted" \ and $1 %s ? :x -- ; /*', '', '{"seed":"it''s \"quoted\" \\ and $1 %s ? :x -- ; /*"}', 'AVAILABLE', 'PENDING', 1767225609000001, 1767225609000001, -62135596800000000, -9223372036854775808, '', 'etag-0017');
INSERT INTO schema_1_as_released.runs VALUES ('id-0016', 'id-0015', 'λ', 'line
break	tab', '', '{"seed":"line\r\nbreak\ttab\u0001"}', 'AVAILABLE', 'PENDING', 1767225612000001, 1767225612000001, 253402300799999999, -9223372036854775808, '', 'etag-0021');
INSERT INTO schema_1_as_released.runs VALUES ('id-0019', 'id-0018', '', ' blank at both ends ', '', '{"seed":" blank at both ends "}', 'AVAILABLE', 'PENDING', 1767225615000001, 1767225615000001, -1, -9223372036854775808, '', 'etag-0025');
INSERT INTO schema_1_as_released.runs VALUES ('id-0022', 'id-0021', 'vision', '􏿿￾', '', '{"seed":"􏿿￾"}', 'AVAILABLE', 'PENDING', 1767225618000001, 1767225618000001, 0, -9223372036854775808, '', 'etag-0029');
INSERT INTO schema_1_as_released.runs VALUES ('id-0025', 'id-0024', 'λ', '%_*[a-z]\N', '', '{"seed":"%_*[a-z]\\N"}', 'AVAILABLE', 'PENDING', 1767225621000001, 1767225621000001, -62135596800000000, -9223372036854775808, '', 'etag-0033');
INSERT INTO schema_1_as_released.runs VALUES ('id-0029', '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', 'again', '', '{}', 'AVAILABLE', 'RUNNING', 1767225626000001, 1767225626000001, -9223372036854775808, -9223372036854775808, '', 'etag-0040');
INSERT INTO schema_1_as_released.runs VALUES ('id-0030', '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', 'again', '', '{}', 'AVAILABLE', 'FAILED', 1767225627000001, 1767225627000001, -9223372036854775808, -9223372036854775808, '', 'etag-0042');
INSERT INTO schema_1_as_released.runs VALUES ('id-0031', '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', 'again', '', '{}', 'AVAILABLE', 'CANCELED', 1767225628000001, 1767225628000001, -9223372036854775808, -9223372036854775808, '', 'etag-0044');
INSERT INTO schema_1_as_released.runs VALUES ('id-0004', 'id-0003', 'vision', 'é', '', '{"seed":"é"}', 'ARCHIVED', 'PENDING', 1767225600000001, 1767225629000001, 253402300799999999, -9223372036854775808, '', 'etag-0046');
INSERT INTO schema_1_as_released.runs VALUES ('id-0028', '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss', 'made', '', '{}', 'ARCHIVED', 'SUCCEEDED', 1767225625000001, 1767225631000001, -62135596800000000, 253402300799999999, 'id-0027', 'etag-0047');
INSERT INTO schema_1_as_released.runs VALUES ('id-0033', 'id-0032', '', 'orphan', '', '{}', 'AVAILABLE', 'PENDING', 1767225634000001, 1767225634000001, -9223372036854775808, -9223372036854775808, '', 'etag-0050');

INSERT INTO schema_1_as_released.settings VALUES ('schema_version', '1');
INSERT INTO schema_1_as_released.settings VALUES ('token_key', 'a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=');
INSERT INTO schema_1_as_released.settings VALUES ('key.host', 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');

ALTER TABLE ONLY schema_1_as_released.experiment_labels
    ADD CONSTRAINT experiment_labels_pkey PRIMARY KEY (id, key);

ALTER TABLE ONLY schema_1_as_released.experiments
    ADD CONSTRAINT experiments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY schema_1_as_released.job_labels
    ADD CONSTRAINT job_labels_pkey PRIMARY KEY (id, key);

ALTER TABLE ONLY schema_1_as_released.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY schema_1_as_released.run_labels
    ADD CONSTRAINT run_labels_pkey PRIMARY KEY (id, key);

ALTER TABLE ONLY schema_1_as_released.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY schema_1_as_released.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (id);

CREATE INDEX experiment_labels_by_term ON schema_1_as_released.experiment_labels USING btree (term, created_at, id);

CREATE INDEX experiment_labels_by_value ON schema_1_as_released.experiment_labels USING btree (key, value, created_at, id);

CREATE INDEX experiments_by_created_at ON schema_1_as_released.experiments USING btree (created_at, id, name);

CREATE INDEX experiments_by_last_run_created_at ON schema_1_as_released.experiments USING btree (last_run_created_at, id);

CREATE INDEX experiments_by_name ON schema_1_as_released.experiments USING btree (name, id);

CREATE INDEX experiments_by_name_created_at ON schema_1_as_released.experiments USING btree (name, created_at, id);

CREATE INDEX experiments_by_namespace_created_at ON schema_1_as_released.experiments USING btree (namespace, created_at, id);

CREATE INDEX experiments_by_namespace_last_run_created_at ON schema_1_as_released.experiments USING btree (namespace, last_run_created_at, id);

CREATE INDEX experiments_by_namespace_storage_state_created_at ON schema_1_as_released.experiments USING btree (namespace, storage_state, created_at, id);

CREATE UNIQUE INDEX experiments_unique ON schema_1_as_released.experiments USING btree (namespace, name);

CREATE INDEX job_labels_by_term ON schema_1_as_released.job_labels USING btree (term, created_at, id);

CREATE INDEX job_labels_by_value ON schema_1_as_released.job_labels USING btree (key, value, created_at, id);

CREATE INDEX jobs_by_created_at ON schema_1_as_released.jobs USING btree (created_at, id, name);

CREATE INDEX jobs_by_experiment_id_created_at ON schema_1_as_released.jobs USING btree (experiment_id, created_at, id);

CREATE INDEX jobs_by_name_created_at ON schema_1_as_released.jobs USING btree (name, created_at, id);

CREATE INDEX jobs_by_namespace_created_at ON schema_1_as_released.jobs USING btree (namespace, created_at, id);

CREATE INDEX run_labels_by_term ON schema_1_as_released.run_labels USING btree (term, created_at, id);

CREATE INDEX run_labels_by_value ON schema_1_as_released.run_labels USING btree (key, value, created_at, id);

CREATE INDEX runs_by_created_at ON schema_1_as_released.runs USING btree (created_at, id, name);

CREATE INDEX runs_by_experiment_id_created_at ON schema_1_as_released.runs USING btree (experiment_id, created_at, id);

CREATE INDEX runs_by_name_created_at ON schema_1_as_released.runs USING btree (name, created_at, id);

CREATE INDEX runs_by_namespace_created_at ON schema_1_as_released.runs USING btree (namespace, created_at, id);

