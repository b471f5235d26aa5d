--
-- PostgreSQL database dump
--

\restrict zPsa3OKwBEhlzhEj7VNnLdjueN0yg7hBlAyIywEzB5lgmscFgMZbur0oPKNTFyG

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: stocker; Type: SCHEMA; Schema: -; Owner: stocker
--

CREATE SCHEMA stocker;


ALTER SCHEMA stocker OWNER TO stocker;

--
-- Name: SCHEMA stocker; Type: COMMENT; Schema: -; Owner: stocker
--

COMMENT ON SCHEMA stocker IS 'It''s STOCKER; not "stock"';


--
-- Name: amcheck; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS amcheck WITH SCHEMA public;


--
-- Name: EXTENSION amcheck; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION amcheck IS 'functions for verifying relation integrity';


--
-- Name: colour; Type: TYPE; Schema: stocker; Owner: stocker
--

CREATE TYPE stocker.colour AS ENUM (
    'red',
    'it''s green; really',
    'blåbær'
);


ALTER TYPE stocker.colour OWNER TO stocker;

--
-- Name: sku; Type: DOMAIN; Schema: stocker; Owner: stocker
--

CREATE DOMAIN stocker.sku AS text
	CONSTRAINT sku_check CHECK ((VALUE ~ '^[A-Z]+\-[0-9]{4}$'::text));


ALTER DOMAIN stocker.sku OWNER TO stocker;

--
-- Name: atomic(integer); Type: FUNCTION; Schema: stocker; Owner: stocker
--

CREATE FUNCTION stocker.atomic(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (a > 0) THEN
             CASE
                 WHEN (a > 10) THEN 2
                 ELSE 1
             END
             ELSE 0
         END AS "case";
 SELECT (a + 1);
END;


ALTER FUNCTION stocker.atomic(a integer) OWNER TO stocker;

--
-- Name: dollars(integer); Type: FUNCTION; Schema: stocker; Owner: stocker
--

CREATE FUNCTION stocker.dollars(a integer) RETURNS text
    LANGUAGE sql
    AS $_$ SELECT 'costs $1; $$' || $1::text; $_$;


ALTER FUNCTION stocker.dollars(a integer) OWNER TO stocker;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: product; Type: TABLE; Schema: stocker; Owner: stocker
--

CREATE TABLE stocker.product (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    sku stocker.sku NOT NULL,
    name text DEFAULT 'a\b;''c'::text NOT NULL,
    description text,
    colour stocker.colour,
    price numeric(12,2) NOT NULL,
    gross numeric(12,2) GENERATED ALWAYS AS ((price * 1.19)) STORED,
    facts jsonb,
    picture bytea,
    tags text[],
    created_at timestamp with time zone DEFAULT '2026-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    CONSTRAINT product_price_check CHECK ((price >= (0)::numeric))
);


ALTER TABLE stocker.product OWNER TO stocker;

--
-- Name: COLUMN product.name; Type: COMMENT; Schema: stocker; Owner: stocker
--

COMMENT ON COLUMN stocker.product.name IS 'first line
second; line $$ with ''quotes''
\.
and more';


--
-- Name: stock_movement; Type: TABLE; Schema: stocker; Owner: stocker
--

CREATE TABLE stocker.stock_movement (
    id bigint NOT NULL,
    product_id bigint NOT NULL,
    quantity integer NOT NULL,
    reason text NOT NULL,
    CONSTRAINT stock_movement_quantity_check CHECK ((quantity <> 0))
);


ALTER TABLE stocker.stock_movement OWNER TO stocker;

--
-- Name: sell(bigint, integer); Type: PROCEDURE; Schema: stocker; Owner: stocker
--

CREATE PROCEDURE stocker.sell(IN p bigint, IN q integer)
    LANGUAGE sql
    BEGIN ATOMIC
 INSERT INTO stocker.stock_movement (product_id, quantity, reason)
   VALUES (sell.p, (- sell.q), 'sold; ok'::text);
 UPDATE stocker.product SET description = 'sold'::text
   WHERE (product.id = sell.p);
END;


ALTER PROCEDURE stocker.sell(IN p bigint, IN q integer) OWNER TO stocker;

--
-- Name: touch(); Type: FUNCTION; Schema: stocker; Owner: stocker
--

CREATE FUNCTION stocker.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
BEGIN
  -- a comment; with 'an apostrophe's half
  IF NEW.name = '' THEN RAISE EXCEPTION 'name; empty %', $$it's$$; END IF;
  RETURN NEW;
END;
$_$;


ALTER FUNCTION stocker.touch() OWNER TO stocker;

--
-- Name: cheap; Type: VIEW; Schema: stocker; Owner: stocker
--

CREATE VIEW stocker.cheap AS
 SELECT product.id,
    product.sku,
    ';'::text AS semicolon
   FROM stocker.product
  WHERE (product.price < (10)::numeric);


ALTER TABLE stocker.cheap OWNER TO stocker;

--
-- Name: empty; Type: TABLE; Schema: stocker; Owner: stocker
--

CREATE TABLE stocker.empty (
    id integer NOT NULL
);


ALTER TABLE stocker.empty OWNER TO stocker;

--
-- Name: odd "table";; Type: TABLE; Schema: stocker; Owner: stocker
--

CREATE TABLE stocker."odd ""table"";" (
    "a;b" integer,
    "select" text,
    plain integer DEFAULT 1
);


ALTER TABLE stocker."odd ""table"";" OWNER TO stocker;

--
-- Name: product_id_seq; Type: SEQUENCE; Schema: stocker; Owner: stocker
--

ALTER TABLE stocker.product ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stocker.product_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: stock_movement_id_seq; Type: SEQUENCE; Schema: stocker; Owner: stocker
--

CREATE SEQUENCE stocker.stock_movement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE stocker.stock_movement_id_seq OWNER TO stocker;

--
-- Name: stock_movement_id_seq; Type: SEQUENCE OWNED BY; Schema: stocker; Owner: stocker
--

ALTER SEQUENCE stocker.stock_movement_id_seq OWNED BY stocker.stock_movement.id;


--
-- Name: tenant; Type: TABLE; Schema: stocker; Owner: stocker
--

CREATE TABLE stocker.tenant (
    id bigint NOT NULL,
    name text NOT NULL
);


ALTER TABLE stocker.tenant OWNER TO stocker;

--
-- Name: tenant_id_seq; Type: SEQUENCE; Schema: stocker; Owner: stocker
--

ALTER TABLE stocker.tenant ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME stocker.tenant_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: totals; Type: MATERIALIZED VIEW; Schema: stocker; Owner: stocker
--

CREATE MATERIALIZED VIEW stocker.totals AS
 SELECT stock_movement.product_id,
    sum(stock_movement.quantity) AS quantity
   FROM stocker.stock_movement
  GROUP BY stock_movement.product_id
  WITH NO DATA;


ALTER TABLE stocker.totals OWNER TO stocker;

--
-- Name: stock_movement id; Type: DEFAULT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.stock_movement ALTER COLUMN id SET DEFAULT nextval('stocker.stock_movement_id_seq'::regclass);


--
-- Data for Name: empty; Type: TABLE DATA; Schema: stocker; Owner: stocker
--

COPY stocker.empty (id) FROM stdin;
\.


--
-- Data for Name: odd "table";; Type: TABLE DATA; Schema: stocker; Owner: stocker
--

COPY stocker."odd ""table"";" ("a;b", "select", plain) FROM stdin;
1	\\	2
\N		\N
3	\\N	4
\.


--
-- Data for Name: product; Type: TABLE DATA; Schema: stocker; Owner: stocker
--

COPY stocker.product (id, tenant_id, sku, name, description, colour, price, facts, picture, tags, created_at) FROM stdin;
1	2	SKU-0001	Product 1	tab\there\nnewline\r\nand \\ backslash	it's green; really	1.25	{"n": 1, "text": "a\\\\\\"b\\n"}	\\xc4ca4238a0b923820dcc509a6f75849b	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
2	2	SKU-0002	Product 2	\\.	blåbær	2.50	{"n": 2, "text": "a\\\\\\"b\\n"}	\\xc81e728d9d4c2f636f067f89cc14862c	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
3	2	SKU-0003	Product 3	\\.\n\\.\n	red	3.75	{"n": 3, "text": "a\\\\\\"b\\n"}	\\xeccbc87e4b5ce2fe28308fd9f2a7baf3	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
4	2	SKU-0004	Product 4	emoji 🚚 und Umlaute äöü; $$ ''	it's green; really	5.00	{"n": 4, "text": "a\\\\\\"b\\n"}	\\xa87ff679a2f3e71d9181a67b7542122c	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
5	2	SKU-0005	Product 5	\N	blåbær	6.25	{"n": 5, "text": "a\\\\\\"b\\n"}	\\xe4da3b7fbbce2345d7772b0674a318d5	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
6	2	SKU-0006	Product 6	tab\there\nnewline\r\nand \\ backslash	red	7.50	{"n": 6, "text": "a\\\\\\"b\\n"}	\\x1679091c5a880faf6fb5e6087eb1b2dc	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
8	2	SKU-0008	Product 8	\\.\n\\.\n	blåbær	10.00	{"n": 8, "text": "a\\\\\\"b\\n"}	\\xc9f0f895fb98ab9159f51fd0297e236d	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
9	2	SKU-0009	Product 9	emoji 🚚 und Umlaute äöü; $$ ''	red	11.25	{"n": 9, "text": "a\\\\\\"b\\n"}	\\x45c48cce2e2d7fbdea1afc51c7c6ad26	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
10	2	SKU-0010	Product 10	\N	it's green; really	12.50	{"n": 10, "text": "a\\\\\\"b\\n"}	\\xd3d9446802a44259755d38e6d163e820	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
11	2	SKU-0011	Product 11	tab\there\nnewline\r\nand \\ backslash	blåbær	13.75	{"n": 11, "text": "a\\\\\\"b\\n"}	\\x6512bd43d9caa6e02c990b0a82652dca	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
12	2	SKU-0012	Product 12	\\.	red	15.00	{"n": 12, "text": "a\\\\\\"b\\n"}	\\xc20ad4d76fe97759aa27a0c99bff6710	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
13	2	SKU-0013	Product 13	\\.\n\\.\n	it's green; really	16.25	{"n": 13, "text": "a\\\\\\"b\\n"}	\\xc51ce410c124a10e0db5e4b97fc2af39	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
14	2	SKU-0014	Product 14	emoji 🚚 und Umlaute äöü; $$ ''	blåbær	17.50	{"n": 14, "text": "a\\\\\\"b\\n"}	\\xaab3238922bcc25a6f606eb525ffdc56	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
15	2	SKU-0015	Product 15	\N	red	18.75	{"n": 15, "text": "a\\\\\\"b\\n"}	\\x9bf31c7ff062936a96d3c8bd1f8f2ff3	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
16	2	SKU-0016	Product 16	tab\there\nnewline\r\nand \\ backslash	it's green; really	20.00	{"n": 16, "text": "a\\\\\\"b\\n"}	\\xc74d97b01eae257e44aa9d5bade97baf	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
17	2	SKU-0017	Product 17	\\.	blåbær	21.25	{"n": 17, "text": "a\\\\\\"b\\n"}	\\x70efdf2ec9b086079795c442636b55fb	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
18	2	SKU-0018	Product 18	\\.\n\\.\n	red	22.50	{"n": 18, "text": "a\\\\\\"b\\n"}	\\x6f4922f45568161a8cdf4ad2299f6d23	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
19	2	SKU-0019	Product 19	emoji 🚚 und Umlaute äöü; $$ ''	it's green; really	23.75	{"n": 19, "text": "a\\\\\\"b\\n"}	\\x1f0e3dad99908345f7439f8ffabdffc4	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
20	2	SKU-0020	Product 20	\N	blåbær	25.00	{"n": 20, "text": "a\\\\\\"b\\n"}	\\x98f13708210194c475687be6106a3b84	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
21	2	SKU-0021	Product 21	tab\there\nnewline\r\nand \\ backslash	red	26.25	{"n": 21, "text": "a\\\\\\"b\\n"}	\\x3c59dc048e8850243be8079a5c74d079	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
22	2	SKU-0022	Product 22	\\.	it's green; really	27.50	{"n": 22, "text": "a\\\\\\"b\\n"}	\\xb6d767d2f8ed5d21a44b0e5886680cb9	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
23	2	SKU-0023	Product 23	\\.\n\\.\n	blåbær	28.75	{"n": 23, "text": "a\\\\\\"b\\n"}	\\x37693cfc748049e45d87b8c7d8b9aacd	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
24	2	SKU-0024	Product 24	emoji 🚚 und Umlaute äöü; $$ ''	red	30.00	{"n": 24, "text": "a\\\\\\"b\\n"}	\\x1ff1de774005f8da13f42943881c655f	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
25	2	SKU-0025	Product 25	\N	it's green; really	31.25	{"n": 25, "text": "a\\\\\\"b\\n"}	\\x8e296a067a37563370ded05f5a3bf3ec	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
26	2	SKU-0026	Product 26	tab\there\nnewline\r\nand \\ backslash	blåbær	32.50	{"n": 26, "text": "a\\\\\\"b\\n"}	\\x4e732ced3463d06de0ca9a15b6153677	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
27	2	SKU-0027	Product 27	\\.	red	33.75	{"n": 27, "text": "a\\\\\\"b\\n"}	\\x02e74f10e0327ad868d138f2b4fdd6f0	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
28	2	SKU-0028	Product 28	\\.\n\\.\n	it's green; really	35.00	{"n": 28, "text": "a\\\\\\"b\\n"}	\\x33e75ff09dd601bbe69f351039152189	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
29	2	SKU-0029	Product 29	emoji 🚚 und Umlaute äöü; $$ ''	blåbær	36.25	{"n": 29, "text": "a\\\\\\"b\\n"}	\\x6ea9ab1baa0efb9e19094440c317e21b	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
30	2	SKU-0030	Product 30	\N	red	37.50	{"n": 30, "text": "a\\\\\\"b\\n"}	\\x34173cb38f07f89ddbebc2ac9128303f	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
31	2	SKU-0031	Product 31	tab\there\nnewline\r\nand \\ backslash	it's green; really	38.75	{"n": 31, "text": "a\\\\\\"b\\n"}	\\xc16a5320fa475530d9583c34fd356ef5	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
32	2	SKU-0032	Product 32	\\.	blåbær	40.00	{"n": 32, "text": "a\\\\\\"b\\n"}	\\x6364d3f0f495b6ab9dcf8d3b5c6e0b01	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
33	2	SKU-0033	Product 33	\\.\n\\.\n	red	41.25	{"n": 33, "text": "a\\\\\\"b\\n"}	\\x182be0c5cdcd5072bb1864cdee4d3d6e	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
34	2	SKU-0034	Product 34	emoji 🚚 und Umlaute äöü; $$ ''	it's green; really	42.50	{"n": 34, "text": "a\\\\\\"b\\n"}	\\xe369853df766fa44e1ed0ff613f563bd	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
35	2	SKU-0035	Product 35	\N	blåbær	43.75	{"n": 35, "text": "a\\\\\\"b\\n"}	\\x1c383cd30b7c298ab50293adfecb7b18	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
36	2	SKU-0036	Product 36	tab\there\nnewline\r\nand \\ backslash	red	45.00	{"n": 36, "text": "a\\\\\\"b\\n"}	\\x19ca14e7ea6328a42e0eb13d585e4c22	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
37	2	SKU-0037	Product 37	\\.	it's green; really	46.25	{"n": 37, "text": "a\\\\\\"b\\n"}	\\xa5bfc9e07964f8dddeb95fc584cd965d	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
38	2	SKU-0038	Product 38	\\.\n\\.\n	blåbær	47.50	{"n": 38, "text": "a\\\\\\"b\\n"}	\\xa5771bce93e200c36f7cd9dfd0e5deaa	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
39	2	SKU-0039	Product 39	emoji 🚚 und Umlaute äöü; $$ ''	red	48.75	{"n": 39, "text": "a\\\\\\"b\\n"}	\\xd67d8ab4f4c10bf22aa353e27879133c	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
40	2	SKU-0040	Product 40	\N	it's green; really	50.00	{"n": 40, "text": "a\\\\\\"b\\n"}	\\xd645920e395fedad7bbbed0eca3fe2e0	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
7	2	SKU-0007	Product 7	large\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\nlarge\ttext \\ with ; and ' 🚚\n	it's green; really	8.75	{"n": 7, "text": "a\\\\\\"b\\n"}	\\x8f14e45fceea167a5a36dedd4bea2543	{"a,b","c\\"d","e\\\\f",NULL}	2026-01-01 00:00:00+00
\.


--
-- Data for Name: stock_movement; Type: TABLE DATA; Schema: stocker; Owner: stocker
--

COPY stocker.stock_movement (id, product_id, quantity, reason) FROM stdin;
1	2	2	goods in 1
2	3	3	goods in 2
3	4	4	goods in 3
4	5	5	goods in 4
5	6	6	goods in 5
6	7	7	goods in 6
7	8	8	goods in 7
8	9	9	goods in 8
9	10	1	goods in 9
10	11	2	goods in 10
11	12	3	goods in 11
12	13	4	goods in 12
13	14	5	goods in 13
14	15	6	goods in 14
15	16	7	goods in 15
16	17	8	goods in 16
17	18	9	goods in 17
18	19	1	goods in 18
19	20	2	goods in 19
20	21	3	goods in 20
21	22	4	goods in 21
22	23	5	goods in 22
23	24	6	goods in 23
24	25	7	goods in 24
25	26	8	goods in 25
26	27	9	goods in 26
27	28	1	goods in 27
28	29	2	goods in 28
29	30	3	goods in 29
30	31	4	goods in 30
31	32	5	goods in 31
32	33	6	goods in 32
33	34	7	goods in 33
34	35	8	goods in 34
35	36	9	goods in 35
36	37	1	goods in 36
37	38	2	goods in 37
38	39	3	goods in 38
39	40	4	goods in 39
40	1	5	goods in 40
41	2	6	goods in 41
42	3	7	goods in 42
43	4	8	goods in 43
44	5	9	goods in 44
45	6	1	goods in 45
46	7	2	goods in 46
47	8	3	goods in 47
48	9	4	goods in 48
49	10	5	goods in 49
50	11	6	goods in 50
51	12	7	goods in 51
52	13	8	goods in 52
53	14	9	goods in 53
54	15	1	goods in 54
55	16	2	goods in 55
56	17	3	goods in 56
57	18	4	goods in 57
58	19	5	goods in 58
59	20	6	goods in 59
60	21	7	goods in 60
61	22	8	goods in 61
62	23	9	goods in 62
63	24	1	goods in 63
64	25	2	goods in 64
65	26	3	goods in 65
66	27	4	goods in 66
67	28	5	goods in 67
68	29	6	goods in 68
69	30	7	goods in 69
70	31	8	goods in 70
71	32	9	goods in 71
72	33	1	goods in 72
73	34	2	goods in 73
74	35	3	goods in 74
75	36	4	goods in 75
76	37	5	goods in 76
77	38	6	goods in 77
78	39	7	goods in 78
79	40	8	goods in 79
80	1	9	goods in 80
81	2	1	goods in 81
82	3	2	goods in 82
83	4	3	goods in 83
84	5	4	goods in 84
85	6	5	goods in 85
86	7	6	goods in 86
87	8	7	goods in 87
88	9	8	goods in 88
89	10	9	goods in 89
90	11	1	goods in 90
91	12	2	goods in 91
92	13	3	goods in 92
93	14	4	goods in 93
94	15	5	goods in 94
95	16	6	goods in 95
96	17	7	goods in 96
97	18	8	goods in 97
98	19	9	goods in 98
99	20	1	goods in 99
100	21	2	goods in 100
101	22	3	goods in 101
102	23	4	goods in 102
103	24	5	goods in 103
104	25	6	goods in 104
105	26	7	goods in 105
106	27	8	goods in 106
107	28	9	goods in 107
108	29	1	goods in 108
109	30	2	goods in 109
110	31	3	goods in 110
111	32	4	goods in 111
112	33	5	goods in 112
113	34	6	goods in 113
114	35	7	goods in 114
115	36	8	goods in 115
116	37	9	goods in 116
117	38	1	goods in 117
118	39	2	goods in 118
119	40	3	goods in 119
120	1	4	goods in 120
121	2	5	goods in 121
122	3	6	goods in 122
123	4	7	goods in 123
124	5	8	goods in 124
125	6	9	goods in 125
126	7	1	goods in 126
127	8	2	goods in 127
128	9	3	goods in 128
129	10	4	goods in 129
130	11	5	goods in 130
131	12	6	goods in 131
132	13	7	goods in 132
133	14	8	goods in 133
134	15	9	goods in 134
135	16	1	goods in 135
136	17	2	goods in 136
137	18	3	goods in 137
138	19	4	goods in 138
139	20	5	goods in 139
140	21	6	goods in 140
141	22	7	goods in 141
142	23	8	goods in 142
143	24	9	goods in 143
144	25	1	goods in 144
145	26	2	goods in 145
146	27	3	goods in 146
147	28	4	goods in 147
148	29	5	goods in 148
149	30	6	goods in 149
150	31	7	goods in 150
151	32	8	goods in 151
152	33	9	goods in 152
153	34	1	goods in 153
154	35	2	goods in 154
155	36	3	goods in 155
156	37	4	goods in 156
157	38	5	goods in 157
158	39	6	goods in 158
159	40	7	goods in 159
160	1	8	goods in 160
161	2	9	goods in 161
162	3	1	goods in 162
163	4	2	goods in 163
164	5	3	goods in 164
165	6	4	goods in 165
166	7	5	goods in 166
167	8	6	goods in 167
168	9	7	goods in 168
169	10	8	goods in 169
170	11	9	goods in 170
171	12	1	goods in 171
172	13	2	goods in 172
173	14	3	goods in 173
174	15	4	goods in 174
175	16	5	goods in 175
176	17	6	goods in 176
177	18	7	goods in 177
178	19	8	goods in 178
179	20	9	goods in 179
180	21	1	goods in 180
181	22	2	goods in 181
182	23	3	goods in 182
183	24	4	goods in 183
184	25	5	goods in 184
185	26	6	goods in 185
186	27	7	goods in 186
187	28	8	goods in 187
188	29	9	goods in 188
189	30	1	goods in 189
190	31	2	goods in 190
191	32	3	goods in 191
192	33	4	goods in 192
193	34	5	goods in 193
194	35	6	goods in 194
195	36	7	goods in 195
196	37	8	goods in 196
197	38	9	goods in 197
198	39	1	goods in 198
199	40	2	goods in 199
200	1	3	goods in 200
\.


--
-- Data for Name: tenant; Type: TABLE DATA; Schema: stocker; Owner: stocker
--

COPY stocker.tenant (id, name) FROM stdin;
1	synthetic-dr
2	acme
3	Zoë & Søn; "Ltd"
\.


--
-- Name: product_id_seq; Type: SEQUENCE SET; Schema: stocker; Owner: stocker
--

SELECT pg_catalog.setval('stocker.product_id_seq', 40, true);


--
-- Name: stock_movement_id_seq; Type: SEQUENCE SET; Schema: stocker; Owner: stocker
--

SELECT pg_catalog.setval('stocker.stock_movement_id_seq', 200, true);


--
-- Name: tenant_id_seq; Type: SEQUENCE SET; Schema: stocker; Owner: stocker
--

SELECT pg_catalog.setval('stocker.tenant_id_seq', 1, false);


--
-- Name: empty empty_pkey; Type: CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.empty
    ADD CONSTRAINT empty_pkey PRIMARY KEY (id);


--
-- Name: product product_pkey; Type: CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (id);


--
-- Name: product product_tenant_id_sku_key; Type: CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.product
    ADD CONSTRAINT product_tenant_id_sku_key UNIQUE (tenant_id, sku);


--
-- Name: stock_movement stock_movement_pkey; Type: CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.stock_movement
    ADD CONSTRAINT stock_movement_pkey PRIMARY KEY (id);


--
-- Name: tenant tenant_name_key; Type: CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.tenant
    ADD CONSTRAINT tenant_name_key UNIQUE (name);


--
-- Name: tenant tenant_pkey; Type: CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);


--
-- Name: stock_movement_reason; Type: INDEX; Schema: stocker; Owner: stocker
--

CREATE INDEX stock_movement_reason ON stocker.stock_movement USING btree (lower(reason)) WHERE (reason <> ';'::text);


--
-- Name: totals_product; Type: INDEX; Schema: stocker; Owner: stocker
--

CREATE UNIQUE INDEX totals_product ON stocker.totals USING btree (product_id);


--
-- Name: tenant no_delete; Type: RULE; Schema: stocker; Owner: stocker
--

CREATE RULE no_delete AS
    ON DELETE TO stocker.tenant DO INSTEAD ( SELECT 1 AS "?column?";
 SELECT 2 AS "?column?";
);


--
-- Name: product touch; Type: TRIGGER; Schema: stocker; Owner: stocker
--

CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON stocker.product FOR EACH ROW EXECUTE FUNCTION stocker.touch();


--
-- Name: product product_tenant_id_fkey; Type: FK CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.product
    ADD CONSTRAINT product_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stocker.tenant(id);


--
-- Name: stock_movement stock_movement_product_id_fkey; Type: FK CONSTRAINT; Schema: stocker; Owner: stocker
--

ALTER TABLE ONLY stocker.stock_movement
    ADD CONSTRAINT stock_movement_product_id_fkey FOREIGN KEY (product_id) REFERENCES stocker.product(id) ON DELETE CASCADE;


--
-- Name: SCHEMA stocker; Type: ACL; Schema: -; Owner: stocker
--

GRANT USAGE ON SCHEMA stocker TO stocker_app;


--
-- Name: TABLE product; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE stocker.product TO stocker_app;


--
-- Name: TABLE stock_movement; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE stocker.stock_movement TO stocker_app;


--
-- Name: TABLE cheap; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE stocker.cheap TO stocker_app;


--
-- Name: TABLE empty; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE stocker.empty TO stocker_app;


--
-- Name: TABLE "odd ""table"";"; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE stocker."odd ""table"";" TO stocker_app;


--
-- Name: SEQUENCE product_id_seq; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT USAGE ON SEQUENCE stocker.product_id_seq TO stocker_app;


--
-- Name: SEQUENCE stock_movement_id_seq; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT USAGE ON SEQUENCE stocker.stock_movement_id_seq TO stocker_app;


--
-- Name: TABLE tenant; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE stocker.tenant TO stocker_app;


--
-- Name: SEQUENCE tenant_id_seq; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT USAGE ON SEQUENCE stocker.tenant_id_seq TO stocker_app;


--
-- Name: TABLE totals; Type: ACL; Schema: stocker; Owner: stocker
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE stocker.totals TO stocker_app;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: stocker; Owner: stocker
--

ALTER DEFAULT PRIVILEGES FOR ROLE stocker IN SCHEMA stocker GRANT SELECT ON TABLES  TO stocker_app;


--
-- Name: totals; Type: MATERIALIZED VIEW DATA; Schema: stocker; Owner: stocker
--

REFRESH MATERIALIZED VIEW stocker.totals;


--
-- PostgreSQL database dump complete
--

\unrestrict zPsa3OKwBEhlzhEj7VNnLdjueN0yg7hBlAyIywEzB5lgmscFgMZbur0oPKNTFyG

