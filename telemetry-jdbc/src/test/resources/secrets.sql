// Statements with a secret that must not be shown: the database's system, and the statement, \n being a new line.
microsoft.sql_server  SELECT * FROM [dbo].[user's] WHERE email = 'secret@x'
microsoft.sql_server  SELECT [a]]'], 'secret' FROM t
microsoft.sql_server  SELECT * FROM t WHERE price > $424242 AND cost < £424242
microsoft.sql_server  ALTER LOGIN bob WITH PASSWORD = 'secret' OLD_PASSWORD = 'secret'
microsoft.sql_server  CREATE LOGIN bob WITH PASSWORD = 0x01000CFSECRET HASHED
microsoft.sql_server  EXEC sp_addlogin bob, secret
microsoft.sql_server  EXEC @r = dbo.sp_addlogin @name = bob, @password = secret
microsoft.sql_server  sp_password NULL, secret, bob
microsoft.sql_server  IF 1 = 1 EXEC p secret
microsoft.sql_server  INSERT INTO t EXEC p [secret], "secret"
microsoft.sql_server  OPEN SYMMETRIC KEY k DECRYPTION BY PASSWORD = 'secret'
microsoft.sql_server  BACKUP DATABASE d TO DISK = 'secret' WITH MEDIAPASSWORD = secret
microsoft.sql_server  CREATE CREDENTIAL c WITH IDENTITY = 'x', SECRET = secret
microsoft.sql_server  SELECT * FROM OPENROWSET('SQLNCLI', 'srv';'sa';'secret', 'select 1')
oracle.db  ALTER USER ada IDENTIFIED BY secret
oracle.db  ALTER USER ada IDENTIFIED BY "secret!" REPLACE "secret"
oracle.db  ALTER USER ada IDENTIFIED /* now */ BY secret
oracle.db  ALTER USER ada IDENTIFIED BY VALUES 'secret'
oracle.db  CREATE DATABASE LINK l CONNECT TO u IDENTIFIED BY secret USING 'tns'
oracle.db  GRANT CONNECT TO ada IDENTIFIED BY secret
oracle.db  SET ROLE r IDENTIFIED BY secret
oracle.db  ADMINISTER KEY MANAGEMENT SET KEYSTORE OPEN IDENTIFIED BY secret
oracle.db  ALTER TABLE t MODIFY (c ENCRYPT IDENTIFIED BY secret)
oracle.db  SELECT q'{it's secret}', nq'!secret'!', Q'<secret>', N'secret' FROM dual
oracle.db  SELECT 'a' FROM dual WHERE q'x' = 'secret'
mysql  CREATE USER 'a'@'%' IDENTIFIED BY 'secret'
mysql  CREATE USER 'a'@'%' IDENTIFIED WITH sha256_password AS 'secret'
mysql  SET PASSWORD FOR 'a' = PASSWORD('secret')
mysql  SELECT * FROM t WHERE a = b--1 AND b = 'secret'
mysql  SELECT * FROM t WHERE a = 'it\'s' AND b = 'secret'
mysql  SELECT TRIM(LEADING "x" FROM "secret"), EXTRACT(YEAR FROM "secret")
mysql  SELECT `a``b'`, 'secret' FROM `t`
mysql  SELECT /*!99999 it's */ 'secret'
mysql  SELECT /*! 'secret' */ a
mariadb  SELECT /*M! 'secret' */ a
mariadb  SET STATEMENT max_statement_time=42 FOR SELECT * FROM t WHERE x = 'secret'
mysql  CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='secret'
postgresql  SELECT U&'d!0061secret' UESCAPE '!' FROM t
postgresql  SELECT $données$secret$données$
postgresql  SELECT $tag$ never closed secret
postgresql  SELECT /* /* nested */ 'secret */ 1
postgresql  -- tenant secret\nSELECT a FROM t
postgresql  /* user=secret */ SELECT a FROM t
postgresql  ALTER ROLE bob SET app.token TO secret
postgresql  ALTER DATABASE d SET app.token = secret
postgresql  CREATE USER MAPPING FOR bob SERVER s OPTIONS (user 'bob', password 'secret')
postgresql  SELECT dblink('host=x password=secret', 'select 1')
postgresql  SET app.user TO secret
postgresql  SET SESSION app.user = secret
postgresql  SELECT 1_000_424242, 0b1010, 0o424242, 0xCAFE42, 42_42_42e4242
postgresql  SELECT ‘secret’ FROM t
postgresql  SELECT “secret” FROM t
postgresql  SELECT a -/**/- 'secret'
postgresql  SELECT "it's", 'secret' FROM "t""x"
sqlite  SELECT [it's], 'secret' FROM t
sqlite  SELECT x'CAFE42', "secret" FROM t
sqlite  PRAGMA key = secret
sqlite  PRAGMA key(secret)
sqlite  PRAGMA hexkey = 'secret'
sqlite  ATTACH DATABASE 'x.db' AS x KEY secret
sqlite  SELECT * FROM t WHERE b = :secret
h2database  SELECT /* a /* b */ secret */ 1 FROM t
h2database  // secret\nSELECT 1
h2database  SELECT 1 // don't\nWHERE 'secret' <> 'x'
h2database  SCRIPT TO 'f' CIPHER AES PASSWORD 'secret'
h2database  CREATE LINKED TABLE l('', 'jdbc:x', 'sa', 'secret', 't')
ibm.db2  CONNECT TO f USER bob USING secret
ibm.db2  SET ENCRYPTION PASSWORD = secret
ibm.db2  CREATE USER MAPPING FOR bob SERVER s OPTIONS (REMOTE_PASSWORD "secret")
derby  SELECT /* a /* b */ secret */ 1 FROM t
hsqldb  SET PASSWORD "secret"
hsqldb  ALTER USER bob SET PASSWORD "secret"
hsqldb  SELECT 1 // secret
sap.hana  CREATE USER u PASSWORD secret1
sap.hana  ALTER SYSTEM SET SECURE STORE BACKUP PASSWORD "secret1"
clickhouse  INSERT INTO t FORMAT JSONEachRow {"a":"secret"}
clickhouse  INSERT INTO t FORMAT CSV\n1,secret;2,secret
clickhouse  SELECT `a\`b'`, 'secret'
clickhouse  SELECT 1 # secret
clickhouse  CREATE USER bob IDENTIFIED WITH sha256_hash BY 'secret'
snowflake  SELECT 1 // secret
snowflake  COPY INTO t FROM 's3://x' CREDENTIALS=(AWS_KEY_ID='secret' AWS_SECRET_KEY='secret')
snowflake  CREATE USER bob PASSWORD = secret
gcp.bigquery  SELECT '''it's secret'''
gcp.bigquery  SELECT "it's secret" # don't\nFROM `p.d.t`
other_sql  SELECT 1 # don't\nFROM t WHERE 'secret' <> 'x'
other_sql  SELECT 1 // don't\nFROM t WHERE 'secret' <> 'x'
other_sql  SELECT 1 --x don't\nFROM t WHERE 'secret' <> 'x'
other_sql  SELECT [it's], 'secret', [that's] FROM t
other_sql  SELECT `it's`, 'secret' FROM t
other_sql  SELECT q'[it's secret]' FROM t
other_sql  SELECT $$it's$$, 'secret', $$that's$$
other_sql  SELECT /* a /* it's */ 'secret' */ 'x'
other_sql  SELECT TRIM(BOTH 'x' FROM "secret")
other_sql  SELECT * FROM t WHERE price > $424242
